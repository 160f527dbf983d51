"""What happens in the background: workers take slices of jobs and run the engine on them."""
