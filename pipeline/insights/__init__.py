"""What people look at: charts as small tables."""
