"""Where bits are best spent: a convex programme over the sharp bound, and its integer solution."""
