package aggregation

import (
	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
	"github.com/FerretDB/FerretDB/internal/types"
)

// accumulator gathers one value of each document in a group; nil is a missing one.
type accumulator interface {
	add(value any)
	result() any
}

var accumulators = map[string]func() accumulator{
	"$addToSet":     func() accumulator { return &list{distinct: true} },
	"$avg":          func() accumulator { return new(average) },
	"$count":        func() accumulator { return new(count) },
	"$first":        func() accumulator { return new(first) },
	"$last":         func() accumulator { return new(last) },
	"$max":          func() accumulator { return &extreme{sign: 1} },
	"$mergeObjects": func() accumulator { return new(merged) },
	"$min":          func() accumulator { return &extreme{sign: -1} },
	"$push":         func() accumulator { return new(list) },
	"$sum":          func() accumulator { return new(sum) },
}

// accumulation is one field of $group.
type accumulation struct {
	field string
	fresh func() accumulator
	value expression
}

func compileAccumulation(field string, specification any) (accumulation, error) {
	document, ok := specification.(*types.Document)
	if !ok || document.Len() != 1 {
		return accumulation{}, fail(handlererrors.ErrStageGroupInvalidAccumulator,
			"The field '%s' must be an accumulator object", field)
	}
	fresh, ok := accumulators[document.Command()]
	if !ok {
		return accumulation{}, fail(handlererrors.ErrNotImplemented,
			"The accumulator %s is not implemented in this stand-in", document.Command())
	}
	operand, _ := document.Get(document.Command())
	value, err := compile(operand)
	return accumulation{field, fresh, value}, err
}

type sum struct{ total any }

func (s *sum) add(value any) {
	if s.total == nil {
		s.total = int32(0)
	}
	if total, err := plus(s.total, value); err == nil {
		s.total = total
	}
}

func (s *sum) result() any {
	if s.total == nil {
		return int32(0)
	}
	return s.total
}

type average struct{ total, n float64 }

func (a *average) add(value any) {
	if number, ok := toFloat(value); ok {
		a.total, a.n = a.total+number, a.n+1
	}
}

func (a *average) result() any {
	if a.n == 0 {
		return types.Null
	}
	return a.total / a.n
}

type count struct{ n int32 }

func (c *count) add(any)     { c.n++ }
func (c *count) result() any { return c.n }

type first struct {
	value any
	set   bool
}

func (f *first) add(value any) {
	if !f.set {
		f.value, f.set = value, true
	}
}

func (f *first) result() any { return orNull(f.value) }

type last struct{ value any }

func (l *last) add(value any) { l.value = value }
func (l *last) result() any   { return orNull(l.value) }

type extreme struct {
	sign  int
	value any
}

func (e *extreme) add(value any) {
	if !isNull(value) && (e.value == nil || compare(value, e.value)*e.sign > 0) {
		e.value = value
	}
}

func (e *extreme) result() any { return orNull(e.value) }

type list struct {
	values   types.Array
	distinct bool
	seen     map[string]bool
}

func (l *list) add(value any) {
	if value == nil {
		return
	}
	if l.distinct {
		if l.seen == nil {
			l.seen = map[string]bool{}
		}
		if key := keyOf(value); l.seen[key] {
			return
		} else {
			l.seen[key] = true
		}
	}
	l.values.Append(value)
}

func (l *list) result() any { return &l.values }

type merged struct{ values []any }

func (m *merged) add(value any) { m.values = append(m.values, value) }

func (m *merged) result() any {
	document, err := mergeObjects(m.values)
	if err != nil {
		return types.Null
	}
	return document
}
