package main

import (
	"context"
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/FerretDB/FerretDB/internal/backends"
	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
	"github.com/FerretDB/FerretDB/internal/types"
)

// The backend between FerretDB's commands and its SQLite: it reports duplicates that an update makes, keeps within
// SQLite's limits, and looks up a document by _id also when the filter has more than that.
type backend struct{ backends.Backend }

type database struct{ backends.Database }

type collection struct{ backends.Collection }

// SQLite takes 32766 variables in one statement.
const deleteAtOnce = 10_000

func (b backend) Database(name string) (backends.Database, error) {
	inner, err := b.Backend.Database(name)
	if err != nil {
		return nil, err
	}
	return database{inner}, nil
}

func (d database) Collection(name string) (backends.Collection, error) {
	inner, err := d.Database.Collection(name)
	if err != nil {
		return nil, err
	}
	return collection{inner}, nil
}

func (c collection) Query(ctx context.Context, params *backends.QueryParams) (*backends.QueryResult, error) {
	if params == nil || params.Filter.Len() < 2 {
		return c.Collection.Query(ctx, params)
	}
	// FerretDB filters what it gets once more, so a wider filter does no harm.
	if id, err := params.Filter.Get("_id"); err == nil {
		narrowed := *params
		if narrowed.Filter, err = types.NewDocument("_id", id); err != nil {
			return nil, err
		}
		params = &narrowed
	}
	return c.Collection.Query(ctx, params)
}

func (c collection) InsertAll(ctx context.Context, params *backends.InsertAllParams) (*backends.InsertAllResult, error) {
	result, err := c.Collection.InsertAll(ctx, params)
	var known *backends.Error
	if len(params.Docs) == 1 && errors.As(err, &known) && known.Code() == backends.ErrorCodeInsertDuplicateID {
		c.note(ctx, err, params.Docs[0])
	}
	return result, err
}

func (c collection) UpdateAll(ctx context.Context, params *backends.UpdateAllParams) (*backends.UpdateAllResult, error) {
	result, err := c.Collection.UpdateAll(ctx, params)
	var cause *sqlite.Error
	if errors.As(err, &cause) && cause.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE {
		if len(params.Docs) == 1 {
			c.note(ctx, err, params.Docs[0])
		}
		return nil, backends.NewError(backends.ErrorCodeInsertDuplicateID, err)
	}
	return result, err
}

func (c collection) CreateIndexes(ctx context.Context, params *backends.CreateIndexesParams) (*backends.CreateIndexesResult, error) {
	result, err := c.Collection.CreateIndexes(ctx, params)
	var cause *sqlite.Error
	if errors.As(err, &cause) && cause.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE {
		return nil, refusal(handlererrors.ErrDuplicateKeyInsert, "E11000 duplicate key error: the index cannot be built, "+
			"because the collection has duplicates already")
	}
	return result, err
}

func (c collection) DeleteAll(ctx context.Context, params *backends.DeleteAllParams) (*backends.DeleteAllResult, error) {
	total := new(backends.DeleteAllResult)
	for part := *params; ; {
		rest := part
		rest.IDs, part.IDs = cut(part.IDs)
		rest.RecordIDs, part.RecordIDs = cut(part.RecordIDs)
		result, err := c.Collection.DeleteAll(ctx, &part)
		if err != nil {
			return nil, err
		}
		total.Deleted += result.Deleted
		if len(rest.IDs)+len(rest.RecordIDs) == 0 {
			return total, nil
		}
		part = rest
	}
}

func cut[T any](all []T) (rest, first []T) {
	if len(all) <= deleteAtOnce {
		return nil, all
	}
	return all[deleteAtOnce:], all[:deleteAtOnce]
}
