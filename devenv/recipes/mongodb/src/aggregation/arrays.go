package aggregation

import (
	"errors"
	"slices"

	"github.com/FerretDB/FerretDB/internal/types"
)

var errArrays = errors.New("requires an array")

var arrays = map[string]function{
	"$allElementsTrue": {1, 1, false, onArray(func(v []any) any { return !slices.ContainsFunc(v, func(x any) bool { return !truthy(x) }) })},
	"$anyElementTrue":  {1, 1, false, onArray(func(v []any) any { return slices.ContainsFunc(v, truthy) })},
	"$arrayElemAt":     {2, 2, true, elementAt},
	"$concatArrays":    {0, -1, true, concatArrays},
	"$first":           {1, 1, true, onArray(func(v []any) any { return at(v, 0) })},
	"$in":              {2, 2, false, in},
	"$indexOfArray":    {2, 2, true, indexOf},
	"$isArray":         {1, 1, false, func(v []any) (any, error) { _, ok := v[0].(*types.Array); return ok, nil }},
	"$last":            {1, 1, true, onArray(func(v []any) any { return at(v, -1) })},
	"$range":           {2, 3, true, numbers},
	"$reverseArray":    {1, 1, true, onArray(func(v []any) any { slices.Reverse(v); return arrayOf(v) })},
	"$setDifference":   {2, 2, true, sets(func(inFirst, inSecond bool) bool { return inFirst && !inSecond })},
	"$setIntersection": {2, 2, true, sets(func(inFirst, inSecond bool) bool { return inFirst && inSecond })},
	"$setUnion":        {2, 2, true, sets(func(inFirst, inSecond bool) bool { return inFirst || inSecond })},
	"$size":            {1, 1, false, onArray(func(v []any) any { return int32(len(v)) })},
	"$slice":           {2, 3, true, slice},
}

func arrayOf(values []any) *types.Array {
	built := types.MakeArray(len(values))
	for _, value := range values {
		built.Append(orNull(value))
	}
	return built
}

func onArray(run func([]any) any) func([]any) (any, error) {
	return func(values []any) (any, error) {
		array, ok := values[0].(*types.Array)
		if !ok {
			return nil, errArrays
		}
		return run(items(array)), nil
	}
}

// at returns an element, counted from the end when negative, and nil beyond the ends.
func at(values []any, index int) any {
	if index < 0 {
		index += len(values)
	}
	if index < 0 || index >= len(values) {
		return nil
	}
	return values[index]
}

func whole(value any) (int, bool) {
	number, ok := toFloat(value)
	return int(number), ok && number == float64(int(number))
}

func elementAt(values []any) (any, error) {
	index, ok := whole(values[1])
	if !ok {
		return nil, errors.New("requires a whole number as index")
	}
	return onArray(func(v []any) any { return at(v, index) })(values)
}

func concatArrays(values []any) (any, error) {
	var all []any
	for _, value := range values {
		array, ok := value.(*types.Array)
		if !ok {
			return nil, errArrays
		}
		all = append(all, items(array)...)
	}
	return arrayOf(all), nil
}

func in(values []any) (any, error) {
	array, ok := values[1].(*types.Array)
	if !ok {
		return nil, errArrays
	}
	return slices.ContainsFunc(items(array), func(item any) bool { return compare(item, values[0]) == 0 }), nil
}

func indexOf(values []any) (any, error) {
	return onArray(func(v []any) any {
		return int32(slices.IndexFunc(v, func(item any) bool { return compare(item, values[1]) == 0 }))
	})(values)
}

func numbers(values []any) (any, error) {
	start, one := whole(values[0])
	end, two := whole(values[1])
	step, three := 1, true
	if len(values) == 3 {
		step, three = whole(values[2])
	}
	if !one || !two || !three || step == 0 {
		return nil, errors.New("requires whole numbers and a step that is not 0")
	}
	built := types.MakeArray(0)
	for i := start; step > 0 && i < end || step < 0 && i > end; i += step {
		built.Append(int32(i))
	}
	return built, nil
}

// sets keeps each value once, in the order of its first appearance.
func sets(keep func(inFirst, inSecond bool) bool) func([]any) (any, error) {
	return func(values []any) (any, error) {
		one, ok := values[0].(*types.Array)
		other, both := values[1].(*types.Array)
		if !ok || !both {
			return nil, errArrays
		}
		inFirst, inSecond := keysOf(items(one)), keysOf(items(other))
		built, taken := types.MakeArray(0), map[string]bool{}
		for _, value := range append(items(one), items(other)...) {
			if key := keyOf(value); !taken[key] && keep(inFirst[key], inSecond[key]) {
				taken[key] = true
				built.Append(value)
			}
		}
		return built, nil
	}
}

func keysOf(values []any) map[string]bool {
	keys := map[string]bool{}
	for _, value := range values {
		keys[keyOf(value)] = true
	}
	return keys
}

func slice(values []any) (any, error) {
	first, ok := whole(values[1])
	if !ok {
		return nil, errors.New("requires whole numbers")
	}
	return onArray(func(v []any) any {
		if len(values) == 2 {
			if first >= 0 {
				return arrayOf(v[:min(first, len(v))])
			}
			return arrayOf(v[max(len(v)+first, 0):])
		}
		count, _ := whole(values[2])
		if first < 0 {
			first = max(len(v)+first, 0)
		}
		first = min(first, len(v))
		return arrayOf(v[first:min(first+max(count, 0), len(v))])
	})(values)
}
