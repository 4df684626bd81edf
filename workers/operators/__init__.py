"""What operators ask and order: functions on the stores that return what they found."""
