package main

import "context"

func starting(context.Context, *bench) error { return nil }
func idling(context.Context, *bench) error   { return nil }
func moving(context.Context, *bench) error   { return nil }
