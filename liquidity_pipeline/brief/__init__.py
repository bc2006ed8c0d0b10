"""What a person reads. It takes its numbers from the published file and computes nothing."""
