package main

import (
	"context"

	"github.com/FerretDB/wire"
	"github.com/FerretDB/wire/wirebson"

	"github.com/FerretDB/FerretDB/devenv/aggregation"
	"github.com/FerretDB/FerretDB/internal/backends"
	"github.com/FerretDB/FerretDB/internal/types"
	"github.com/FerretDB/FerretDB/internal/util/iterator"
)

// aggregate gives the pipeline its other collections, and refuses change streams before FerretDB complains of something
// else in the same command.
func aggregate(from backends.Backend, inner run) run {
	return func(ctx context.Context, asked *request) (*wire.OpMsg, error) {
		if firstStage(asked.document.Get("pipeline")) == "$changeStream" {
			return failed(40573, "Location40573",
				"The $changeStream stage is only supported on replica sets (this stand-in has none)")
		}
		return inner(aggregation.WithSource(ctx, collections(from, asked.database)), asked)
	}
}

func collections(from backends.Backend, name string) aggregation.Source {
	return func(ctx context.Context, collection string) ([]*types.Document, error) {
		database, err := from.Database(name)
		if err != nil {
			return nil, err
		}
		opened, err := database.Collection(collection)
		if err != nil {
			return nil, err
		}
		found, err := opened.Query(ctx, new(backends.QueryParams))
		if err != nil {
			return nil, err
		}
		defer found.Iter.Close()
		return iterator.ConsumeValues(found.Iter)
	}
}

func firstStage(pipeline any) string {
	array, ok := pipeline.(wirebson.AnyArray)
	if !ok {
		return ""
	}
	stages, err := array.Decode()
	if err != nil || stages.Len() == 0 {
		return ""
	}
	raw, ok := stages.Get(0).(wirebson.AnyDocument)
	if !ok {
		return ""
	}
	stage, err := raw.Decode()
	if err != nil {
		return ""
	}
	return stage.Command()
}
