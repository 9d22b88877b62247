"""Routes beside Dash's own: binary answers, regions, named views, exports."""
