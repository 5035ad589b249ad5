package aggregation

import (
	"context"
	"strings"

	"github.com/FerretDB/FerretDB/internal/handler/common"
	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
	"github.com/FerretDB/FerretDB/internal/types"
)

// Source reads a whole collection of the database that the pipeline runs in.
type Source func(ctx context.Context, collection string) ([]*types.Document, error)

type sourceKey struct{}

// WithSource lets $lookup and $unionWith read other collections.
func WithSource(ctx context.Context, source Source) context.Context {
	return context.WithValue(ctx, sourceKey{}, source)
}

func read(ctx context.Context, collection string) ([]*types.Document, error) {
	source, ok := ctx.Value(sourceKey{}).(Source)
	if !ok {
		return nil, fail(handlererrors.ErrNotImplemented, "this command cannot read another collection in this stand-in")
	}
	return source(ctx, collection)
}

func lookup(operand any) (stage, error) {
	from, one := part(operand, "from")
	as, two := part(operand, "as")
	if !one || !two {
		return nil, fail(handlererrors.ErrFailedToParse, "$lookup wants from, as, and localField with foreignField or a pipeline")
	}
	local, joined := part(operand, "localField")
	foreign, _ := part(operand, "foreignField")
	inner, err := newSubPipeline(operand.(*types.Document))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, documents []*types.Document) ([]*types.Document, error) {
		others, err := read(ctx, from)
		if err != nil {
			return nil, err
		}
		found := make([]*types.Document, len(documents))
		for i, document := range documents {
			matched := others
			if joined {
				if matched, err = matching(others, foreign, follow(document, strings.Split(local, "."))); err != nil {
					return nil, err
				}
			}
			copies := make([]*types.Document, len(matched))
			for j, other := range matched {
				copies[j] = other.DeepCopy()
			}
			if copies, err = inner.run(ctx, document, copies); err != nil {
				return nil, err
			}
			found[i] = document.DeepCopy()
			setPath(found[i], strings.Split(as, "."), documentsArray(copies))
		}
		return found, nil
	}, nil
}

// matching returns the documents whose field equals the value, or one of the values.
func matching(documents []*types.Document, field string, value any) ([]*types.Document, error) {
	condition, err := types.NewDocument("$eq", orNull(value))
	if array, ok := value.(*types.Array); ok {
		condition, err = types.NewDocument("$in", array)
	}
	if err != nil {
		return nil, err
	}
	filter, err := types.NewDocument(field, condition)
	if err != nil {
		return nil, err
	}
	var matched []*types.Document
	for _, document := range documents {
		matches, err := common.FilterDocument(document, filter)
		if err != nil {
			return nil, err
		}
		if matches {
			matched = append(matched, document)
		}
	}
	return matched, nil
}

// subPipeline is the `pipeline` of $lookup with the variables of its `let`.
type subPipeline struct {
	stages    *types.Array
	names     []string
	variables []expression
}

func newSubPipeline(operand *types.Document) (*subPipeline, error) {
	sub := new(subPipeline)
	if given, err := operand.Get("pipeline"); err == nil {
		var ok bool
		if sub.stages, ok = given.(*types.Array); !ok {
			return nil, fail(handlererrors.ErrFailedToParse, "'pipeline' option must be specified as an array")
		}
	}
	given, _ := operand.Get("let")
	if variables, ok := given.(*types.Document); ok {
		sub.names = variables.Keys()
		var err error
		if sub.variables, err = compileAll(variables.Values()); err != nil {
			return nil, err
		}
	}
	return sub, nil
}

func (p *subPipeline) run(ctx context.Context, outer *types.Document, documents []*types.Document) ([]*types.Document, error) {
	if p.stages == nil {
		return documents, nil
	}
	bound := map[string]any{}
	for i, variable := range p.variables {
		value, err := variable(scope{root: outer})
		if err != nil {
			return nil, err
		}
		bound[p.names[i]] = value
	}
	compiled, err := pipeline(bind(p.stages, bound).(*types.Array))
	if err != nil {
		return nil, err
	}
	return compiled(ctx, documents)
}

// bind puts the values of variables in the place of their names.
func bind(value any, bound map[string]any) any {
	switch value := value.(type) {
	case string:
		name, rest, nested := strings.Cut(strings.TrimPrefix(value, "$$"), ".")
		found, ok := bound[name]
		if !ok || !strings.HasPrefix(value, "$$") {
			return value
		}
		if nested {
			found = follow(found, strings.Split(rest, "."))
		}
		if found == nil {
			return "$$REMOVE"
		}
		return must(types.NewDocument("$literal", found))
	case *types.Document:
		changed := types.MakeDocument(value.Len())
		for _, name := range value.Keys() {
			field, _ := value.Get(name)
			changed.Set(name, bind(field, bound))
		}
		return changed
	case *types.Array:
		changed := types.MakeArray(value.Len())
		for _, item := range items(value) {
			changed.Append(bind(item, bound))
		}
		return changed
	}
	return value
}

func unionWith(operand any) (stage, error) {
	collection, ok := operand.(string)
	sub := new(subPipeline)
	if !ok {
		if collection, ok = part(operand, "coll"); !ok {
			return nil, fail(handlererrors.ErrFailedToParse, "$unionWith wants a collection")
		}
		var err error
		if sub, err = newSubPipeline(operand.(*types.Document)); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context, documents []*types.Document) ([]*types.Document, error) {
		others, err := read(ctx, collection)
		if err != nil {
			return nil, err
		}
		if others, err = sub.run(ctx, nil, others); err != nil {
			return nil, err
		}
		return append(documents, others...), nil
	}, nil
}
