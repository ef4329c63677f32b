"""What `collect_statistics.py` is made of, one idea per file."""
