package aggregation

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/FerretDB/FerretDB/internal/handler/common/aggregations"
	"github.com/FerretDB/FerretDB/internal/handler/common/aggregations/operators"
	"github.com/FerretDB/FerretDB/internal/handler/common/aggregations/stages"
	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
	"github.com/FerretDB/FerretDB/internal/types"
	"github.com/FerretDB/FerretDB/internal/util/iterator"
)

// stage turns the documents that reach it into those that leave it.
type stage func(context.Context, []*types.Document) ([]*types.Document, error)

// Process is FerretDB's interface of a stage.
func (s stage) Process(ctx context.Context, iter types.DocumentsIterator, closer *iterator.MultiCloser) (types.DocumentsIterator, error) { //nolint:lll // FerretDB's signature
	documents, err := iterator.ConsumeValues(iter)
	if err != nil {
		return nil, err
	}
	processed, err := s(ctx, documents)
	if err != nil {
		return nil, err
	}
	result := iterator.Values(iterator.ForSlice(processed))
	closer.Add(result)
	return result, nil
}

// Register puts the stages of this package in FerretDB's table, in place of its own where it has some, and has $expr
// understand the same expressions.
func Register() {
	operators.CompileExpr = func(operand any) (operators.Operator, error) { return compileExpr(operand) }
	for name, build := range map[string]func(operand any) (stage, error){
		"$addFields":   addFields,
		"$facet":       facet,
		"$group":       group,
		"$lookup":      lookup,
		"$project":     project,
		"$replaceRoot": replaceRoot,
		"$replaceWith": replaceWith,
		"$sample":      sample,
		"$set":         addFields,
		"$sortByCount": sortByCount,
		"$unionWith":   unionWith,
		"$unwind":      unwind,
	} {
		stages.Stages[name] = func(specification *types.Document) (aggregations.Stage, error) {
			operand, err := specification.Get(name)
			if err != nil {
				return nil, err
			}
			return build(operand)
		}
	}
}

// pipeline compiles stages one after the other.
func pipeline(array *types.Array) (stage, error) {
	var all []aggregations.Stage
	for _, item := range items(array) {
		specification, ok := item.(*types.Document)
		if !ok {
			return nil, fail(handlererrors.ErrTypeMismatch, "Each element of the 'pipeline' array must be an object")
		}
		one, err := stages.NewStage(specification)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return func(ctx context.Context, documents []*types.Document) ([]*types.Document, error) {
		closer := iterator.NewMultiCloser()
		defer closer.Close()
		iter := iterator.Values(iterator.ForSlice(documents))
		for _, one := range all {
			var err error
			if iter, err = one.Process(ctx, iter, closer); err != nil {
				return nil, err
			}
		}
		return iterator.ConsumeValues(iter)
	}, nil
}

// perDocument makes a stage of what is done to every document.
func perDocument(change func(*types.Document) (*types.Document, error)) stage {
	return func(_ context.Context, documents []*types.Document) ([]*types.Document, error) {
		changed := make([]*types.Document, len(documents))
		for i, document := range documents {
			var err error
			if changed[i], err = change(document); err != nil {
				return nil, err
			}
		}
		return changed, nil
	}
}

func replaceRoot(operand any) (stage, error) {
	document, ok := operand.(*types.Document)
	if !ok || !document.Has("newRoot") {
		return nil, fail(handlererrors.ErrMissingField, "BSON field '$replaceRoot.newRoot' is missing but a required field")
	}
	root, _ := document.Get("newRoot")
	return replaceWith(root)
}

func replaceWith(operand any) (stage, error) {
	root, err := compile(operand)
	return perDocument(func(document *types.Document) (*types.Document, error) {
		value, err := root(scope{root: document})
		if err != nil {
			return nil, err
		}
		replaced, ok := value.(*types.Document)
		if !ok {
			return nil, fail(handlererrors.ErrorCode(40228), "'newRoot' expression must evaluate to an object, but was %s",
				types.FormatAnyValue(orNull(value)))
		}
		return replaced, nil
	}), err
}

func sample(operand any) (stage, error) {
	document, ok := operand.(*types.Document)
	if !ok {
		return nil, fail(handlererrors.ErrorCode(28745), "the $sample stage specification must be an object")
	}
	given, _ := document.Get("size")
	size, ok := whole(given)
	if !ok || size <= 0 {
		return nil, fail(handlererrors.ErrorCode(28746), "size argument to $sample must be a positive number")
	}
	return func(_ context.Context, documents []*types.Document) ([]*types.Document, error) {
		rand.Shuffle(len(documents), func(i, j int) { documents[i], documents[j] = documents[j], documents[i] })
		return documents[:min(size, len(documents))], nil
	}, nil
}

func sortByCount(operand any) (stage, error) {
	counted := types.MakeDocument(2)
	counted.Set("_id", operand)
	counted.Set("count", must(types.NewDocument("$sum", int32(1))))
	grouped, err := group(counted)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, documents []*types.Document) ([]*types.Document, error) {
		groups, err := grouped(ctx, documents)
		slices.SortStableFunc(groups, func(a, b *types.Document) int {
			return compare(follow(b, []string{"count"}), follow(a, []string{"count"}))
		})
		return groups, err
	}, nil
}

func unwind(operand any) (stage, error) {
	path, index, keepEmpty := "", "", false
	switch operand := operand.(type) {
	case string:
		path = operand
	case *types.Document:
		path, _ = part(operand, "path")
		index, _ = part(operand, "includeArrayIndex")
		if keep, err := operand.Get("preserveNullAndEmptyArrays"); err == nil {
			keepEmpty = truthy(keep)
		}
	}
	if !strings.HasPrefix(path, "$") {
		return nil, fail(handlererrors.ErrStageUnwindNoPrefix, "path option to $unwind stage should be prefixed with a '$': %s", path)
	}
	parts := strings.Split(path[1:], ".")
	return func(_ context.Context, documents []*types.Document) ([]*types.Document, error) {
		var unwound []*types.Document
		emit := func(document *types.Document, value, position any) {
			copied := document.DeepCopy()
			if value == nil {
				removePath(copied, parts)
			} else {
				setPath(copied, parts, value)
			}
			if index != "" {
				setPath(copied, strings.Split(index, "."), position)
			}
			unwound = append(unwound, copied)
		}
		for _, document := range documents {
			value := follow(document, parts)
			array, isArray := value.(*types.Array)
			switch {
			case isArray && array.Len() > 0:
				for i, item := range items(array) {
					emit(document, item, int64(i))
				}
			case isArray && keepEmpty:
				emit(document, nil, types.Null)
			case !isArray && (keepEmpty || !isNull(value)):
				emit(document, value, types.Null)
			}
		}
		return unwound, nil
	}, nil
}

func facet(operand any) (stage, error) {
	document, ok := operand.(*types.Document)
	if !ok {
		return nil, fail(handlererrors.ErrorCode(40169), "the $facet specification must be a non-empty object")
	}
	inner := make([]stage, document.Len())
	for i, value := range document.Values() {
		array, ok := value.(*types.Array)
		if !ok {
			return nil, fail(handlererrors.ErrorCode(40170), "arguments to $facet must be arrays")
		}
		var err error
		if inner[i], err = pipeline(array); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context, documents []*types.Document) ([]*types.Document, error) {
		result := types.MakeDocument(len(inner))
		for i, name := range document.Keys() {
			copies := make([]*types.Document, len(documents))
			for j, one := range documents {
				copies[j] = one.DeepCopy()
			}
			found, err := inner[i](ctx, copies)
			if err != nil {
				return nil, err
			}
			result.Set(name, documentsArray(found))
		}
		return []*types.Document{result}, nil
	}, nil
}

func documentsArray(documents []*types.Document) *types.Array {
	array := types.MakeArray(len(documents))
	for _, document := range documents {
		array.Append(document)
	}
	return array
}

func must(document *types.Document, err error) *types.Document {
	if err != nil {
		panic(err)
	}
	return document
}
