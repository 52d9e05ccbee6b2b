"""How a classifier learns: the step, the epoch, the run, and the folder that it leaves."""
