"""What is asked: scenario files, units, jobs, workload generators, trace readers and the library."""
