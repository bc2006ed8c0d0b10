"""Statistics of series in general: nothing here knows what the series measure."""
