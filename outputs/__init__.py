"""What is kept and shown: the record of a run, its metrics, its folder, tables and pictures."""
