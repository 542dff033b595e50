"""WMA and WMV."""
