"""Reading what the camera wrote: facts, pictures and sound of a file, through a fenced child process."""
