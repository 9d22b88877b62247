"""The services that pages ask: scenes, results, regions, named views, statistics, exports."""
