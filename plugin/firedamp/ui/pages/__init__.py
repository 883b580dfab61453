"""What the pages show: one frozen value each, of ready text and numbers; a template sees nothing else."""
