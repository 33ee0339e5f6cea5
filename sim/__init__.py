"""What happens: the clock, the processes, the run and the command line."""
