package aggregation

import (
	"errors"

	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
	"github.com/FerretDB/FerretDB/internal/types"
)

// forms are the operators whose operand is not a list of values to compute first.
var forms map[string]func(operand any) (expression, error)

func init() {
	forms = map[string]func(any) (expression, error){
		"$and":     junction(false),
		"$cond":    condition,
		"$filter":  filter,
		"$ifNull":  ifNull,
		"$let":     let,
		"$literal": func(operand any) (expression, error) { return constant(operand), nil },
		"$map":     mapping,
		"$or":      junction(true),
		"$reduce":  reduce,
		"$switch":  branches,
	}
}

// fields compiles the named parts of an operand; absent ones are nil.
func fields(name string, operand any, wanted ...string) ([]expression, error) {
	document, ok := operand.(*types.Document)
	if !ok {
		return nil, fail(handlererrors.ErrFailedToParse, "%s wants an object", name)
	}
	compiled := make([]expression, len(wanted))
	for i, field := range wanted {
		value, err := document.Get(field)
		if err != nil {
			continue
		}
		if compiled[i], err = compile(value); err != nil {
			return nil, err
		}
	}
	return compiled, nil
}

func required(name string, parts []expression) error {
	for _, part := range parts {
		if part == nil {
			return fail(handlererrors.ErrFailedToParse, "%s lacks a part", name)
		}
	}
	return nil
}

func junction(stopAt bool) func(any) (expression, error) {
	return func(operand any) (expression, error) {
		inner, err := operands(operand)
		return func(s scope) (any, error) {
			for _, one := range inner {
				value, err := one(s)
				if err != nil || truthy(value) == stopAt {
					return stopAt, err
				}
			}
			return !stopAt, nil
		}, err
	}
}

func operands(operand any) ([]expression, error) {
	if array, ok := operand.(*types.Array); ok {
		return compileAll(items(array))
	}
	return compileAll([]any{operand})
}

func condition(operand any) (expression, error) {
	var parts []expression
	var err error
	if array, ok := operand.(*types.Array); ok && array.Len() == 3 {
		parts, err = compileAll(items(array))
	} else {
		parts, err = fields("$cond", operand, "if", "then", "else")
	}
	if err = errors.Join(err, required("$cond", parts)); err != nil {
		return nil, err
	}
	return func(s scope) (any, error) {
		value, err := parts[0](s)
		if err != nil {
			return nil, err
		}
		if truthy(value) {
			return parts[1](s)
		}
		return parts[2](s)
	}, nil
}

func branches(operand any) (expression, error) {
	parts, err := fields("$switch", operand, "default")
	if err != nil {
		return nil, err
	}
	listed, _ := operand.(*types.Document).Get("branches")
	list, ok := listed.(*types.Array)
	if !ok {
		return nil, fail(handlererrors.ErrFailedToParse, "$switch wants an array of branches")
	}
	var cases [][]expression
	for _, item := range items(list) {
		one, err := fields("$switch", item, "case", "then")
		if err = errors.Join(err, required("$switch", one)); err != nil {
			return nil, err
		}
		cases = append(cases, one)
	}
	return func(s scope) (any, error) {
		for _, one := range cases {
			value, err := one[0](s)
			if err != nil {
				return nil, err
			}
			if truthy(value) {
				return one[1](s)
			}
		}
		if parts[0] == nil {
			return nil, fail(handlererrors.ErrBadValue, "$switch could not find a matching branch for an input, and no default")
		}
		return parts[0](s)
	}, nil
}

func ifNull(operand any) (expression, error) {
	inner, err := operands(operand)
	return func(s scope) (any, error) {
		var value any
		for _, one := range inner {
			var err error
			if value, err = one(s); err != nil || !isNull(value) {
				return value, err
			}
		}
		return value, nil
	}, err
}

func let(operand any) (expression, error) {
	parts, err := fields("$let", operand, "in")
	if err = errors.Join(err, required("$let", parts)); err != nil {
		return nil, err
	}
	given, _ := operand.(*types.Document).Get("vars")
	variables, ok := given.(*types.Document)
	if !ok {
		return nil, fail(handlererrors.ErrFailedToParse, "$let wants an object of vars")
	}
	values, err := compileAll(variables.Values())
	names := variables.Keys()
	return func(s scope) (any, error) {
		inner := s
		for i, one := range values {
			value, err := one(s)
			if err != nil {
				return nil, err
			}
			inner = inner.with(names[i], value)
		}
		return parts[0](inner)
	}, err
}

// each compiles a loop over the array `input`, in which the item is the variable that `as` names.
func each(name, body string, operand any, take func(kept *types.Array, item, value any)) (expression, error) {
	parts, err := fields(name, operand, "input", body)
	if err = errors.Join(err, required(name, parts)); err != nil {
		return nil, err
	}
	variable := "this"
	if given, err := operand.(*types.Document).Get("as"); err == nil {
		variable, _ = given.(string)
	}
	return func(s scope) (any, error) {
		input, err := parts[0](s)
		if err != nil || isNull(input) {
			return types.Null, err
		}
		array, ok := input.(*types.Array)
		if !ok {
			return nil, fail(handlererrors.ErrBadValue, "input to %s must be an array", name)
		}
		kept := types.MakeArray(array.Len())
		for _, item := range items(array) {
			value, err := parts[1](s.with(variable, item))
			if err != nil {
				return nil, err
			}
			take(kept, item, value)
		}
		return kept, nil
	}, nil
}

func filter(operand any) (expression, error) {
	if document, ok := operand.(*types.Document); ok && document.Has("limit") {
		return nil, fail(handlererrors.ErrNotImplemented, "$filter: limit is not implemented in this stand-in")
	}
	return each("$filter", "cond", operand, func(kept *types.Array, item, value any) {
		if truthy(value) {
			kept.Append(item)
		}
	})
}

func mapping(operand any) (expression, error) {
	return each("$map", "in", operand, func(kept *types.Array, _, value any) { kept.Append(orNull(value)) })
}

func reduce(operand any) (expression, error) {
	parts, err := fields("$reduce", operand, "input", "initialValue", "in")
	if err = errors.Join(err, required("$reduce", parts)); err != nil {
		return nil, err
	}
	return func(s scope) (any, error) {
		input, err := parts[0](s)
		if err != nil || isNull(input) {
			return types.Null, err
		}
		array, ok := input.(*types.Array)
		if !ok {
			return nil, fail(handlererrors.ErrBadValue, "input to $reduce must be an array")
		}
		value, err := parts[1](s)
		for _, item := range items(array) {
			if err != nil {
				return nil, err
			}
			value, err = parts[2](s.with("value", value).with("this", item))
		}
		return value, err
	}, nil
}
