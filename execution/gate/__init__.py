"""May it happen now? The only rooms from which a server can be reached: `admission` decides, `session` opens."""
