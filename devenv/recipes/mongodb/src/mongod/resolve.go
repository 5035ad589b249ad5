package main

import (
	"context"
	"strings"

	"github.com/FerretDB/wire"
	"github.com/FerretDB/wire/wirebson"

	"github.com/FerretDB/FerretDB/devenv/aggregation"
	"github.com/FerretDB/FerretDB/internal/backends"
	"github.com/FerretDB/FerretDB/internal/bson"
	"github.com/FerretDB/FerretDB/internal/handler/common"
	"github.com/FerretDB/FerretDB/internal/types"
)

// resolver carries out updates that FerretDB does not know, pipelines and positional paths: for each document that the
// query finds, it hands on the update that this one comes down to. Writers are alone in their database meanwhile.
type resolver struct{ from backends.Backend }

// change is an update as a client asked for it.
type change struct {
	query    *types.Document
	update   any // a document or a pipeline
	filters  []*types.Document
	sort     *types.Document
	all      bool
	upserted bool
}

// beyond tells whether FerretDB needs help with the change.
func (c *change) beyond() bool {
	if _, ok := c.update.(*types.Array); ok || len(c.filters) > 0 {
		return true
	}
	update, ok := c.update.(*types.Document)
	if !ok {
		return false
	}
	for _, value := range update.Values() {
		if fields, ok := value.(*types.Document); ok {
			for _, path := range fields.Keys() {
				if isPositional(path) {
					return true
				}
			}
		}
	}
	return false
}

func readChange(document *types.Document, query, update string) change {
	var c change
	found, _ := document.Get(query)
	if c.query, _ = found.(*types.Document); c.query == nil {
		c.query = types.MakeDocument(0)
	}
	c.update, _ = document.Get(update)
	found, _ = document.Get("sort")
	c.sort, _ = found.(*types.Document)
	found, _ = document.Get("multi")
	c.all, _ = found.(bool)
	found, _ = document.Get("upsert")
	c.upserted, _ = found.(bool)
	found, _ = document.Get("arrayFilters")
	if filters, ok := found.(*types.Array); ok {
		for i := range filters.Len() {
			one, _ := filters.Get(i)
			if filter, ok := one.(*types.Document); ok {
				c.filters = append(c.filters, filter)
			}
		}
	}
	return c
}

// update is for a command with one statement.
func (r resolver) update(inner run) run {
	return func(ctx context.Context, asked *request) (*wire.OpMsg, error) {
		statements, rest, err := asked.statements("updates")
		if err != nil || len(statements) != 1 {
			return inner(ctx, asked)
		}
		statement, err := bson.ToDocument(statements[0].(wirebson.AnyDocument))
		if err != nil {
			return nil, err
		}
		wanted := readChange(statement, "q", "u")
		if !wanted.beyond() {
			return inner(ctx, asked)
		}
		hand := func(query, update *types.Document, upsert bool) (*wire.OpMsg, error) {
			statement.Set("q", query)
			statement.Set("u", update)
			statement.Set("upsert", upsert)
			statement.Remove("multi")
			statement.Remove("arrayFilters")
			converted, err := bson.FromDocument(statement)
			if err != nil {
				return nil, err
			}
			part, err := asked.part(rest, "updates", []any{converted})
			if err != nil {
				return nil, err
			}
			return inner(ctx, part)
		}
		return r.carryOut(ctx, asked, wanted, hand)
	}
}

// findAndModify is for a command of that name.
func (r resolver) findAndModify(inner run) run {
	return func(ctx context.Context, asked *request) (*wire.OpMsg, error) {
		command, err := bson.ToDocument(asked.document)
		if err != nil {
			return nil, err
		}
		wanted := readChange(command, "query", "update")
		if !wanted.beyond() {
			return inner(ctx, asked)
		}
		return r.carryOut(ctx, asked, wanted, func(query, update *types.Document, upsert bool) (*wire.OpMsg, error) {
			command.Set("query", query)
			command.Set("update", update)
			command.Set("upsert", upsert)
			command.Remove("arrayFilters")
			command.Remove("sort")
			converted, err := bson.FromDocument(command)
			if err != nil {
				return nil, err
			}
			changed, err := asked.with(converted)
			if err != nil {
				return nil, err
			}
			return inner(ctx, changed)
		})
	}
}

type hand func(query, update *types.Document, upsert bool) (*wire.OpMsg, error)

func (r resolver) carryOut(ctx context.Context, asked *request, wanted change, hand hand) (*wire.OpMsg, error) {
	collection, _ := asked.document.Get(asked.name).(string)
	found, err := r.find(ctx, asked.database, collection, wanted)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 && !wanted.upserted {
		return hand(wanted.query, mustDocument("$set", types.MakeDocument(0)), false)
	}
	if len(found) == 0 {
		update, err := wanted.on(ctx, equalities(wanted.query))
		if err != nil {
			return nil, err
		}
		return hand(wanted.query, update, true)
	}
	total := outcome{namespace: asked.database + "." + collection, statements: 1}
	for _, document := range found {
		update, err := wanted.on(ctx, document)
		if err != nil {
			return nil, err
		}
		id, _ := document.Get("_id")
		reply, err := hand(mustDocument("_id", id), update, false)
		if err != nil || len(found) == 1 {
			return reply, err
		}
		if err := total.add(reply, nil, 0, new(violations)); err != nil {
			return nil, err
		}
	}
	return total.message()
}

// on returns the update that the change comes down to for one document.
func (c *change) on(ctx context.Context, document *types.Document) (*types.Document, error) {
	if stages, ok := c.update.(*types.Array); ok {
		return aggregation.Update(ctx, stages, document)
	}
	paths := places{document: document, query: c.query, filters: c.filters}
	return paths.concrete(c.update.(*types.Document))
}

// find returns the documents that the change is for, in the order of its sort.
func (r resolver) find(ctx context.Context, database, collection string, wanted change) ([]*types.Document, error) {
	all, err := collections(r.from, database)(ctx, collection)
	if err != nil {
		return nil, err
	}
	if wanted.sort != nil {
		if err := common.SortDocuments(all, wanted.sort); err != nil {
			return nil, err
		}
	}
	var found []*types.Document
	for _, document := range all {
		matches, err := common.FilterDocument(document, wanted.query)
		if err != nil {
			return nil, err
		}
		if matches {
			found = append(found, document)
			if !wanted.all {
				break
			}
		}
	}
	return found, nil
}

// equalities returns the document that an upsert begins with: the fields for which the query names a value.
func equalities(query *types.Document) *types.Document {
	begun := types.MakeDocument(query.Len())
	for _, name := range query.Keys() {
		value, _ := query.Get(name)
		if condition, ok := value.(*types.Document); ok && strings.HasPrefix(condition.Command(), "$") {
			if value, _ = condition.Get("$eq"); value == nil {
				continue
			}
		}
		if path, err := types.NewPathFromString(name); err == nil && !strings.HasPrefix(name, "$") {
			_ = begun.SetByPath(path, value)
		}
	}
	return begun
}

func mustDocument(pairs ...any) *types.Document {
	document, err := types.NewDocument(pairs...)
	if err != nil {
		panic(err) // the values are BSON already
	}
	return document
}
