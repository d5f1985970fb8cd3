"""What is heard: transients to the sample, recorders' files, and where a clip lies in one."""
