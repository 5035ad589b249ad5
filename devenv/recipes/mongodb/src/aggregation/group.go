package aggregation

import (
	"context"

	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
	"github.com/FerretDB/FerretDB/internal/types"
)

// group is $group; FerretDB's gives the documents to the first accumulator only, and the others find none left.
func group(operand any) (stage, error) {
	document, ok := operand.(*types.Document)
	if !ok {
		return nil, fail(handlererrors.ErrStageGroupInvalidFields, "a group's fields must be specified in an object")
	}
	var by expression
	var accumulations []accumulation
	for _, name := range document.Keys() {
		value, _ := document.Get(name)
		if name == "_id" {
			var err error
			if by, err = compile(value); err != nil {
				return nil, err
			}
			continue
		}
		one, err := compileAccumulation(name, value)
		if err != nil {
			return nil, err
		}
		accumulations = append(accumulations, one)
	}
	if by == nil {
		return nil, fail(handlererrors.ErrStageGroupMissingID, "a group specification must include an _id")
	}
	return func(_ context.Context, documents []*types.Document) ([]*types.Document, error) {
		return gather(documents, by, accumulations)
	}, nil
}

type bucket struct {
	id     any
	states []accumulator
}

func gather(documents []*types.Document, by expression, accumulations []accumulation) ([]*types.Document, error) {
	var order []*bucket
	buckets := map[string]*bucket{}
	for _, document := range documents {
		s := scope{root: document}
		id, err := by(s)
		if err != nil {
			return nil, err
		}
		id = orNull(id)
		key := keyOf(id)
		found, ok := buckets[key]
		if !ok {
			found = &bucket{id: id}
			for _, one := range accumulations {
				found.states = append(found.states, one.fresh())
			}
			buckets[key] = found
			order = append(order, found)
		}
		for i, one := range accumulations {
			value, err := one.value(s)
			if err != nil {
				return nil, err
			}
			found.states[i].add(value)
		}
	}
	grouped := make([]*types.Document, len(order))
	for i, one := range order {
		grouped[i] = types.MakeDocument(len(accumulations) + 1)
		grouped[i].Set("_id", one.id)
		for j, accumulated := range accumulations {
			grouped[i].Set(accumulated.field, one.states[j].result())
		}
	}
	return grouped, nil
}
