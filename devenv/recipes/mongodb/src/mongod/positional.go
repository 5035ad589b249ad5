package main

import (
	"strconv"
	"strings"

	"github.com/FerretDB/FerretDB/internal/handler/common"
	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
	"github.com/FerretDB/FerretDB/internal/types"
)

// places knows which elements of a document's arrays the signs in an update's paths stand for: `$` the one that the
// query matched, `$[]` all, `$[name]` those that the array filter of that name lets through.
type places struct {
	document *types.Document
	query    *types.Document
	filters  []*types.Document
}

func isPositional(path string) bool {
	return strings.Contains(path, ".$")
}

// concrete returns the update with an index in the place of every sign.
func (p *places) concrete(update *types.Document) (*types.Document, error) {
	changed := types.MakeDocument(update.Len())
	for _, operator := range update.Keys() {
		value, _ := update.Get(operator)
		fields, ok := value.(*types.Document)
		if !ok {
			changed.Set(operator, value)
			continue
		}
		resolved := types.MakeDocument(fields.Len())
		for _, path := range fields.Keys() {
			operand, _ := fields.Get(path)
			paths, err := p.expand(nil, strings.Split(path, "."), p.document)
			if err != nil {
				return nil, err
			}
			for _, one := range paths {
				resolved.Set(one, operand)
			}
		}
		if resolved.Len() > 0 || fields.Len() == 0 {
			changed.Set(operator, resolved)
		}
	}
	return changed, nil
}

// expand returns the paths that `rest` stands for below `done`, where the document has `value`.
func (p *places) expand(done, rest []string, value any) ([]string, error) {
	if len(rest) == 0 {
		return []string{strings.Join(done, ".")}, nil
	}
	part := rest[0]
	if !strings.HasPrefix(part, "$") || len(done) == 0 {
		return p.expand(append(done[:len(done):len(done)], part), rest[1:], child(value, part))
	}
	array, ok := value.(*types.Array)
	if !ok {
		return nil, refusal(handlererrors.ErrBadValue,
			"The path '%s' must exist in the document in order to apply array updates.", strings.Join(done, "."))
	}
	var paths []string
	for i := range array.Len() {
		item, _ := array.Get(i)
		chosen, err := p.chosen(done, part, item)
		if err != nil {
			return nil, err
		}
		if !chosen {
			continue
		}
		below, err := p.expand(append(done[:len(done):len(done)], strconv.Itoa(i)), rest[1:], item)
		if err != nil {
			return nil, err
		}
		paths = append(paths, below...)
		if part == "$" {
			return paths, nil
		}
	}
	if part == "$" {
		return nil, refusal(handlererrors.ErrBadValue, "The positional operator did not find the match needed from the query.")
	}
	return paths, nil
}

func child(value any, part string) any {
	switch value := value.(type) {
	case *types.Document:
		found, _ := value.Get(part)
		return found
	case *types.Array:
		if i, err := strconv.Atoi(part); err == nil && i >= 0 && i < value.Len() {
			found, _ := value.Get(i)
			return found
		}
	}
	return nil
}

func (p *places) chosen(done []string, sign string, item any) (bool, error) {
	switch {
	case sign == "$[]":
		return true, nil
	case sign == "$":
		return matchesAll(conditionsOn(p.query, strings.Join(done, ".")), item)
	}
	name := strings.TrimSuffix(strings.TrimPrefix(sign, "$["), "]")
	for _, filter := range p.filters {
		if first, _, _ := strings.Cut(filter.Command(), "."); first == name {
			return common.FilterDocument(mustDocument(name, item), filter)
		}
	}
	return false, refusal(handlererrors.ErrBadValue, "No array filter found for identifier '%s'", name)
}

// condition is what a query says of an array's elements, or of a field in them.
type condition struct {
	below string
	value any
}

// conditionsOn collects what the query says of the array at `path`.
func conditionsOn(query *types.Document, path string) []condition {
	var found []condition
	for _, key := range query.Keys() {
		value, _ := query.Get(key)
		if list, ok := value.(*types.Array); ok && key == "$and" {
			for i := range list.Len() {
				one, _ := list.Get(i)
				if inner, ok := one.(*types.Document); ok {
					found = append(found, conditionsOn(inner, path)...)
				}
			}
		}
		if below, nested := strings.CutPrefix(key, path+"."); nested || key == path {
			found = append(found, condition{strings.TrimPrefix(below, path), value})
		}
	}
	return found
}

// matchesAll tells whether an element meets the conditions; without any, the query has matched no element.
func matchesAll(conditions []condition, item any) (bool, error) {
	for _, one := range conditions {
		if matches, err := one.matches(item); err != nil || !matches {
			return false, err
		}
	}
	return len(conditions) > 0, nil
}

func (c condition) matches(item any) (bool, error) {
	element, isDocument := item.(*types.Document)
	if c.below != "" {
		if !isDocument {
			return false, nil
		}
		return common.FilterDocument(element, mustDocument(c.below, c.value))
	}
	wanted := c.value
	if operators, ok := wanted.(*types.Document); ok && operators.Has("$elemMatch") {
		wanted, _ = operators.Get("$elemMatch")
		if fields, ok := wanted.(*types.Document); ok && !strings.HasPrefix(fields.Command(), "$") {
			if !isDocument {
				return false, nil
			}
			return common.FilterDocument(element, fields)
		}
	}
	return common.FilterDocument(mustDocument("v", item), mustDocument("v", wanted))
}
