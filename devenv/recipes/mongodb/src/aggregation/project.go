package aggregation

import (
	"strings"

	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
	"github.com/FerretDB/FerretDB/internal/types"
)

// assignment is a computed field.
type assignment struct {
	path  []string
	value expression
}

// selection is a tree of the paths that a projection names; a leaf has no branches.
type selection map[string]selection

func (s selection) add(path []string) {
	for _, part := range path {
		if s[part] == nil {
			s[part] = selection{}
		}
		s = s[part]
	}
}

// flatten walks {a: {b: 1}} as {"a.b": 1} and leaves operators whole.
func flatten(prefix []string, document *types.Document, visit func(path []string, value any) error) error {
	for _, name := range document.Keys() {
		if name == "" || strings.HasPrefix(name, "$") {
			return fail(handlererrors.ErrFieldPathInvalidName, "FieldPath field names may not start with '$' or be empty: %q", name)
		}
		value, _ := document.Get(name)
		path := append(append([]string{}, prefix...), strings.Split(name, ".")...)
		inner, ok := value.(*types.Document)
		if ok && inner.Len() > 0 && !strings.HasPrefix(inner.Command(), "$") {
			if err := flatten(path, inner, visit); err != nil {
				return err
			}
			continue
		}
		if err := visit(path, value); err != nil {
			return err
		}
	}
	return nil
}

func addFields(operand any) (stage, error) {
	document, ok := operand.(*types.Document)
	if !ok {
		return nil, fail(handlererrors.ErrSetBadExpression, "$addFields specification stage must be an object")
	}
	var assignments []assignment
	err := flatten(nil, document, func(path []string, value any) error {
		compiled, err := compile(value)
		assignments = append(assignments, assignment{path, compiled})
		return err
	})
	return perDocument(func(document *types.Document) (*types.Document, error) {
		changed := document.DeepCopy()
		return changed, assign(changed, document, assignments)
	}), err
}

func assign(to, from *types.Document, assignments []assignment) error {
	for _, one := range assignments {
		value, err := one.value(scope{root: from})
		if err != nil {
			return err
		}
		if value == nil {
			removePath(to, one.path)
		} else {
			setPath(to, one.path, value)
		}
	}
	return nil
}

func project(operand any) (stage, error) {
	document, ok := operand.(*types.Document)
	if !ok || document.Len() == 0 {
		return nil, fail(handlererrors.ErrProjectBadExpression, "$project specification must be an object with at least one field")
	}
	included, excluded := selection{}, selection{}
	withID, noID := true, false
	var computed []assignment
	err := flatten(nil, document, func(path []string, value any) error {
		isID := len(path) == 1 && path[0] == "_id"
		switch value.(type) {
		case bool, int32, int64, float64:
			switch {
			case isID:
				withID = truthy(value)
				noID = !withID
			case truthy(value):
				included.add(path)
			default:
				excluded.add(path)
			}
			return nil
		}
		if isID {
			withID = false
		}
		compiled, err := compile(value)
		computed = append(computed, assignment{path, compiled})
		return err
	})
	if err != nil {
		return nil, err
	}
	inclusion := len(included)+len(computed) > 0 || len(excluded) == 0 && !noID
	if inclusion && len(excluded) > 0 {
		return nil, fail(handlererrors.ErrProjectionExIn, "Invalid $project :: caused by :: Cannot do exclusion in inclusion projection")
	}
	if noID {
		excluded.add([]string{"_id"})
	}
	if withID {
		included.add([]string{"_id"})
	}
	return perDocument(func(document *types.Document) (*types.Document, error) {
		if !inclusion {
			return exclude(document, excluded).(*types.Document), nil
		}
		chosen := types.MakeDocument(len(computed))
		if len(included) > 0 {
			chosen = include(document, included).(*types.Document)
		}
		return chosen, assign(chosen, document, computed)
	}), nil
}

// include copies what the selection names; nil where nothing is left of a value.
func include(value any, chosen selection) any {
	if len(chosen) == 0 {
		return value
	}
	switch value := value.(type) {
	case *types.Document:
		kept := types.MakeDocument(len(chosen))
		for _, name := range value.Keys() {
			inner, ok := chosen[name]
			if !ok {
				continue
			}
			field, _ := value.Get(name)
			if left := include(field, inner); left != nil {
				kept.Set(name, left)
			}
		}
		return kept
	case *types.Array:
		kept := types.MakeArray(value.Len())
		for _, item := range items(value) {
			if left := include(item, chosen); left != nil {
				kept.Append(left)
			}
		}
		return kept
	}
	return nil
}

func exclude(value any, dropped selection) any {
	switch value := value.(type) {
	case *types.Document:
		kept := types.MakeDocument(value.Len())
		for _, name := range value.Keys() {
			field, _ := value.Get(name)
			inner, named := dropped[name]
			switch {
			case !named:
				kept.Set(name, field)
			case len(inner) > 0:
				kept.Set(name, exclude(field, inner))
			}
		}
		return kept
	case *types.Array:
		kept := types.MakeArray(value.Len())
		for _, item := range items(value) {
			kept.Append(exclude(item, dropped))
		}
		return kept
	}
	return value
}

// setPath puts a value at a path; in an array, into each of its items.
func setPath(document *types.Document, path []string, value any) {
	if len(path) == 1 {
		document.Set(path[0], value)
		return
	}
	existing, _ := document.Get(path[0])
	switch inner := existing.(type) {
	case *types.Document:
		setPath(inner, path[1:], value)
	case *types.Array:
		changed := types.MakeArray(inner.Len())
		for _, item := range items(inner) {
			holder, ok := item.(*types.Document)
			if !ok {
				holder = types.MakeDocument(1)
			}
			setPath(holder, path[1:], value)
			changed.Append(holder)
		}
		document.Set(path[0], changed)
	default:
		holder := types.MakeDocument(1)
		setPath(holder, path[1:], value)
		document.Set(path[0], holder)
	}
}

func removePath(document *types.Document, path []string) {
	if len(path) == 1 {
		document.Remove(path[0])
		return
	}
	existing, _ := document.Get(path[0])
	switch inner := existing.(type) {
	case *types.Document:
		removePath(inner, path[1:])
	case *types.Array:
		for _, item := range items(inner) {
			if holder, ok := item.(*types.Document); ok {
				removePath(holder, path[1:])
			}
		}
	}
}
