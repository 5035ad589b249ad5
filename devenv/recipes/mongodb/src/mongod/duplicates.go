package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/FerretDB/wire/wirebson"

	"github.com/FerretDB/FerretDB/internal/backends"
	"github.com/FerretDB/FerretDB/internal/bson"
	"github.com/FerretDB/FerretDB/internal/types"
)

const duplicateKey = int32(11000)

// violation is a unique index that stood in the way of a write, with the values it has already.
type violation struct {
	index         string
	pattern, keys *types.Document
}

// violations collects those of one command, in order: FerretDB answers that there was one, not which.
type violations struct{ found []violation }

type violationsKey struct{}

func withViolations(ctx context.Context) (context.Context, *violations) {
	noted := new(violations)
	return context.WithValue(ctx, violationsKey{}, noted), noted
}

// note finds the index that SQLite's message names: UNIQUE constraint failed: index 'users_1a2b3c4d_email_1'.
func (c collection) note(ctx context.Context, failure error, doc *types.Document) {
	noted, ok := ctx.Value(violationsKey{}).(*violations)
	if !ok {
		return
	}
	_, named, _ := strings.Cut(failure.Error(), "failed: index '")
	named, _, _ = strings.Cut(named, "'")
	one := violation{pattern: new(types.Document), keys: new(types.Document)}
	if list, err := c.ListIndexes(ctx, new(backends.ListIndexesParams)); err == nil && named != "" {
		for _, index := range list.Indexes {
			if strings.HasSuffix(named, "_"+index.Name) && len(index.Name) > len(one.index) {
				one = violation{index: index.Name, pattern: new(types.Document), keys: new(types.Document)}
				for _, pair := range index.Key {
					one.add(pair, doc)
				}
			}
		}
	}
	noted.found = append(noted.found, one)
}

func (v *violation) add(pair backends.IndexKeyPair, doc *types.Document) {
	order := int32(1)
	if pair.Descending {
		order = -1
	}
	v.pattern.Set(pair.Field, order)
	v.keys.Set(pair.Field, types.Null)
	if path, err := types.NewPathFromString(pair.Field); err == nil {
		if value, err := doc.GetByPath(path); err == nil {
			v.keys.Set(pair.Field, value)
		}
	}
}

// describe completes the answers for duplicates as mongod words them. FerretDB tries a batch before it goes one by
// one, so the last violations are those of the answers.
func (v *violations) describe(namespace string, answers []*wirebson.Document) {
	var duplicates []*wirebson.Document
	for _, answer := range answers {
		if answer.Get("code") == duplicateKey {
			duplicates = append(duplicates, answer)
		}
	}
	skip := len(v.found) - len(duplicates)
	if skip < 0 {
		return
	}
	for i, answer := range duplicates {
		one := v.found[skip+i]
		if one.index == "" {
			continue
		}
		pattern, keys := mustFrom(one.pattern), mustFrom(one.keys)
		_ = answer.Replace("errmsg", fmt.Sprintf("E11000 duplicate key error collection: %s index: %s dup key: %s",
			namespace, one.index, types.FormatAnyValue(one.keys)))
		_ = answer.Add("keyPattern", pattern)
		_ = answer.Add("keyValue", keys)
	}
}

func mustFrom(doc *types.Document) *wirebson.Document {
	converted, err := bson.FromDocument(doc)
	if err != nil {
		panic(err) // it came from there
	}
	return converted
}
