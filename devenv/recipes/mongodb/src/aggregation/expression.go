// Package aggregation has the pipeline stages, accumulators and expressions that FerretDB 1 lacks or gets wrong.
package aggregation

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
	"github.com/FerretDB/FerretDB/internal/types"
)

// expression computes a value from a document; nil stands for a missing field, types.Null for null.
type expression func(scope) (any, error)

// scope is what an expression can refer to.
type scope struct {
	root      *types.Document
	variables map[string]any
}

func (s scope) with(name string, value any) scope {
	variables := maps.Clone(s.variables)
	if variables == nil {
		variables = map[string]any{}
	}
	variables[name] = value
	return scope{root: s.root, variables: variables}
}

// expr is FerretDB's operator for an expression of ours, as $expr needs it.
type expr struct{ run expression }

func compileExpr(value any) (*expr, error) {
	run, err := compile(value)
	return &expr{run}, err
}

// Process computes the expression for one document, and a missing value as null.
func (e *expr) Process(document *types.Document) (any, error) {
	value, err := e.run(scope{root: document})
	return orNull(value), err
}

// compile turns a specification into an expression. Raises FerretDB's command errors.
func compile(value any) (expression, error) {
	switch value := value.(type) {
	case string:
		return compilePath(value)
	case *types.Array:
		return compileArray(value)
	case *types.Document:
		if strings.HasPrefix(value.Command(), "$") {
			return compileOperator(value)
		}
		return compileDocument(value)
	}
	return constant(value), nil
}

func constant(value any) expression {
	return func(scope) (any, error) { return value, nil }
}

func compilePath(path string) (expression, error) {
	switch {
	case strings.HasPrefix(path, "$$"):
		name, rest, nested := strings.Cut(path[2:], ".")
		return func(s scope) (any, error) {
			value, err := s.variable(name)
			if err != nil || !nested {
				return value, err
			}
			return follow(value, strings.Split(rest, ".")), nil
		}, nil
	case strings.HasPrefix(path, "$"):
		parts := strings.Split(path[1:], ".")
		for _, part := range parts {
			if part == "" {
				return nil, fail(handlererrors.ErrInvalidFieldPath, "FieldPath %q has an empty part", path)
			}
		}
		return func(s scope) (any, error) { return follow(s.root, parts), nil }, nil
	}
	return constant(path), nil
}

func (s scope) variable(name string) (any, error) {
	switch name {
	case "ROOT", "CURRENT":
		return s.root, nil
	case "NOW":
		return time.Now().UTC().Truncate(time.Millisecond), nil
	case "REMOVE":
		return nil, nil
	}
	value, ok := s.variables[name]
	if !ok {
		return nil, fail(handlererrors.ErrGroupUndefinedVariable, "Use of undefined variable: %s", name)
	}
	return value, nil
}

// follow returns the value at a path; in an array, those of its documents.
func follow(value any, parts []string) any {
	if len(parts) == 0 {
		return value
	}
	switch value := value.(type) {
	case *types.Document:
		if value == nil {
			return nil
		}
		if field, err := value.Get(parts[0]); err == nil {
			return follow(field, parts[1:])
		}
	case *types.Array:
		found := types.MakeArray(value.Len())
		for _, item := range items(value) {
			if _, ok := item.(*types.Document); !ok {
				continue
			}
			if inner := follow(item, parts); inner != nil {
				found.Append(inner)
			}
		}
		return found
	}
	return nil
}

func compileArray(array *types.Array) (expression, error) {
	inner, err := compileAll(items(array))
	return func(s scope) (any, error) {
		values := types.MakeArray(len(inner))
		for _, one := range inner {
			value, err := one(s)
			if err != nil {
				return nil, err
			}
			values.Append(orNull(value))
		}
		return values, nil
	}, err
}

func compileDocument(document *types.Document) (expression, error) {
	names := document.Keys()
	inner, err := compileAll(document.Values())
	return func(s scope) (any, error) {
		built := types.MakeDocument(len(names))
		for i, one := range inner {
			value, err := one(s)
			if err != nil {
				return nil, err
			}
			if value != nil {
				built.Set(names[i], value)
			}
		}
		return built, nil
	}, err
}

func compileAll(values []any) ([]expression, error) {
	compiled := make([]expression, len(values))
	for i, value := range values {
		var err error
		if compiled[i], err = compile(value); err != nil {
			return nil, err
		}
	}
	return compiled, nil
}

func compileOperator(document *types.Document) (expression, error) {
	name := document.Command()
	if document.Len() != 1 {
		return nil, fail(handlererrors.ErrExpressionWrongLenOfFields,
			"an object representing an expression must have exactly one field: %s", types.FormatAnyValue(document))
	}
	operand, _ := document.Get(name)
	if form, ok := forms[name]; ok {
		return form(operand)
	}
	known, ok := functions[name]
	if !ok {
		return nil, fail(handlererrors.ErrNotImplemented, "The expression %s is not implemented in this stand-in", name)
	}
	arguments := []any{operand}
	if array, ok := operand.(*types.Array); ok {
		arguments = items(array)
	}
	if len(arguments) < known.least || known.most >= 0 && len(arguments) > known.most {
		return nil, fail(handlererrors.ErrOperatorWrongLenOfArgs, "Expression %s takes another number of arguments", name)
	}
	inner, err := compileAll(arguments)
	if err != nil {
		return nil, err
	}
	return func(s scope) (any, error) {
		values := make([]any, len(inner))
		for i, one := range inner {
			value, err := one(s)
			if err != nil {
				return nil, err
			}
			if values[i] = value; known.strict && isNull(value) {
				return types.Null, nil
			}
		}
		value, err := known.run(values)
		if err != nil {
			return nil, fail(handlererrors.ErrBadValue, "%s: %v", name, err)
		}
		return value, nil
	}, nil
}

func items(array *types.Array) []any {
	all := make([]any, array.Len())
	for i := range all {
		all[i], _ = array.Get(i)
	}
	return all
}

func isNull(value any) bool { return value == nil || value == types.Null }

func orNull(value any) any {
	if value == nil {
		return types.Null
	}
	return value
}

func truthy(value any) bool {
	switch value := value.(type) {
	case nil, types.NullType:
		return false
	case bool:
		return value
	case int32, int64, float64:
		return compare(value, int32(0)) != 0
	}
	return true
}

// compare orders any two values as mongod does; a missing one comes first.
func compare(a, b any) int {
	if a == nil || b == nil {
		return boolToInt(a != nil) - boolToInt(b != nil)
	}
	result := types.CompareOrder(a, b, types.Ascending)
	_, first := a.(*types.Array)
	if _, second := b.(*types.Array); first && second {
		result = types.CompareForAggregation(a, b)
	}
	switch result {
	case types.Less:
		return -1
	case types.Greater:
		return 1
	}
	return 0
}

func boolToInt(value bool) int {
	if value {
		return 1
	}
	return 0
}

func fail(code handlererrors.ErrorCode, format string, arguments ...any) error {
	return handlererrors.NewCommandErrorMsg(code, fmt.Sprintf(format, arguments...))
}
