"""The inverse problem: how large, how often, how many bits."""
