package aggregation

import (
	"errors"
	"maps"

	"github.com/FerretDB/FerretDB/internal/types"
)

// function is an operator on values that were computed before.
type function struct {
	least, most int  // arguments; most < 0 means any number
	strict      bool // null if an argument is null or missing
	run         func([]any) (any, error)
}

var functions = map[string]function{}

func init() {
	for _, table := range []map[string]function{comparisons, arithmetic, text, arrays, documents, conversions, dates} {
		maps.Copy(functions, table)
	}
}

func ordering(holds func(int) bool) function {
	return function{2, 2, false, func(v []any) (any, error) { return holds(compare(v[0], v[1])), nil }}
}

var comparisons = map[string]function{
	"$cmp": {2, 2, false, func(v []any) (any, error) { return int32(compare(v[0], v[1])), nil }},
	"$eq":  ordering(func(order int) bool { return order == 0 }),
	"$gt":  ordering(func(order int) bool { return order > 0 }),
	"$gte": ordering(func(order int) bool { return order >= 0 }),
	"$lt":  ordering(func(order int) bool { return order < 0 }),
	"$lte": ordering(func(order int) bool { return order <= 0 }),
	"$ne":  ordering(func(order int) bool { return order != 0 }),
	"$not": {1, 1, false, func(v []any) (any, error) { return !truthy(v[0]), nil }},
}

var documents = map[string]function{
	"$mergeObjects":  {0, -1, false, mergeObjects},
	"$objectToArray": {1, 1, true, objectToArray},
	"$arrayToObject": {1, 1, true, arrayToObject},
}

func mergeObjects(values []any) (any, error) {
	if len(values) == 1 {
		if array, ok := values[0].(*types.Array); ok {
			values = items(array)
		}
	}
	merged := types.MakeDocument(0)
	for _, value := range values {
		if isNull(value) {
			continue
		}
		document, ok := value.(*types.Document)
		if !ok {
			return nil, errors.New("requires objects")
		}
		for _, name := range document.Keys() {
			field, _ := document.Get(name)
			merged.Set(name, field)
		}
	}
	return merged, nil
}

func objectToArray(values []any) (any, error) {
	document, ok := values[0].(*types.Document)
	if !ok {
		return nil, errors.New("requires an object")
	}
	pairs := types.MakeArray(document.Len())
	for _, name := range document.Keys() {
		field, _ := document.Get(name)
		pair, err := types.NewDocument("k", name, "v", field)
		if err != nil {
			return nil, err
		}
		pairs.Append(pair)
	}
	return pairs, nil
}

func arrayToObject(values []any) (any, error) {
	array, ok := values[0].(*types.Array)
	if !ok {
		return nil, errors.New("requires an array")
	}
	built := types.MakeDocument(array.Len())
	for _, item := range items(array) {
		var name, field any
		switch item := item.(type) {
		case *types.Document:
			name, _ = item.Get("k")
			field, _ = item.Get("v")
		case *types.Array:
			if item.Len() == 2 {
				name, _ = item.Get(0)
				field, _ = item.Get(1)
			}
		}
		key, ok := name.(string)
		if !ok {
			return nil, errors.New("requires pairs of a name and a value")
		}
		built.Set(key, orNull(field))
	}
	return built, nil
}
