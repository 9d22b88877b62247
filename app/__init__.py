"""The Dash application: settings, ids, view state, layout and figures. No numerics."""
