"""What pytest shall not import when it looks for doctests: peers need packages of their own."""

collect_ignore_glob = ["peers/*.py"]
