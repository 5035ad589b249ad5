package main

import (
	"context"
	"errors"

	"github.com/FerretDB/wire"
	"github.com/FerretDB/wire/wirebson"

	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
)

// FerretDB inserts in batches of this size, and goes on with the next batch after an error also when the order counts.
const insertAtOnce = 1000

// outcome is the answer to a write command, put together from those to its parts.
type outcome struct {
	n, modified         int32
	counted             bool // whether the answers had nModified
	upserted, failed    []any
	namespace           string
	answers, statements int
}

// inParts runs the statements of a write command `size` at a time: FerretDB forgets what it did when a later statement
// fails, numbers upserts wrongly and does not stop where the order counts.
func inParts(field string, size int, inner run) run {
	return func(ctx context.Context, asked *request) (*wire.OpMsg, error) {
		statements, rest, err := asked.statements(field)
		if err != nil || len(statements) == 0 {
			return inner(ctx, asked)
		}
		collection, _ := asked.document.Get(asked.name).(string)
		total := outcome{namespace: asked.database + "." + collection, statements: len(statements)}
		ordered := rest.Get("ordered") != false
		for start := 0; start < len(statements); start += size {
			part, err := asked.part(rest, field, statements[start:min(start+size, len(statements))])
			if err != nil {
				return nil, err
			}
			noted, found := withViolations(ctx)
			reply, err := inner(noted, part)
			if err := total.add(reply, err, int32(start), found); err != nil {
				return nil, err
			}
			if ordered && len(total.failed) > 0 {
				break
			}
		}
		return total.message()
	}
}

// statements returns what the command is to do one by one, and the command without it.
func (q *request) statements(field string) ([]any, *wirebson.Document, error) {
	rest := wirebson.MakeDocument(q.document.Len())
	var statements []any
	for name, value := range q.document.All() {
		array, isArray := value.(wirebson.AnyArray)
		if name != field || !isArray {
			if err := rest.Add(name, value); err != nil {
				return nil, nil, err
			}
			continue
		}
		decoded, err := array.Decode()
		if err != nil {
			return nil, nil, err
		}
		for item := range decoded.Values() {
			statements = append(statements, item)
		}
	}
	for _, section := range q.message.Sections() {
		if section.Kind == 1 && section.Identifier == field {
			for _, document := range section.Documents() {
				statements = append(statements, document)
			}
		}
	}
	return statements, rest, nil
}

func (q *request) part(rest *wirebson.Document, field string, statements []any) (*request, error) {
	document := wirebson.MakeDocument(rest.Len() + 1)
	for name, value := range rest.All() {
		if err := document.Add(name, value); err != nil {
			return nil, err
		}
	}
	array, err := wirebson.NewArray(statements...)
	if err != nil {
		return nil, err
	}
	if err := document.Add(field, array); err != nil {
		return nil, err
	}
	return q.with(document)
}

// add takes in the answer to one part. The error of a command's only statement is the command's, as it came.
func (o *outcome) add(reply *wire.OpMsg, failure error, offset int32, found *violations) error {
	var document *wirebson.Document
	if failure != nil {
		protocol := handlererrors.ProtocolError(failure)
		var commandError *handlererrors.CommandError
		if errors.As(protocol, &commandError) {
			if o.statements == 1 {
				return failure
			}
			o.failed = append(o.failed, wirebson.MustDocument(
				"index", offset, "code", int32(commandError.Code()), "errmsg", commandError.Err().Error()))
			return nil
		}
		document = protocol.Document()
	} else {
		var err error
		if document, err = reply.RawSection0().DecodeDeep(); err != nil {
			return err
		}
	}
	n, _ := document.Get("n").(int32)
	modified, counted := document.Get("nModified").(int32)
	o.n, o.modified, o.counted = o.n+n, o.modified+modified, o.counted || counted
	o.upserted = append(o.upserted, numbered(document.Get("upserted"), offset)...)
	failed := numbered(document.Get("writeErrors"), offset)
	found.describe(o.namespace, documentsOf(failed))
	o.failed = append(o.failed, failed...)
	return nil
}

// numbered adds the offset of a part to the `index` of its entries.
func numbered(list any, offset int32) []any {
	array, ok := list.(*wirebson.Array)
	if !ok {
		return nil
	}
	var entries []any
	for _, entry := range documentsOf(collect(array)) {
		index, _ := entry.Get("index").(int32)
		_ = entry.Replace("index", index+offset)
		entries = append(entries, entry)
	}
	return entries
}

func collect(array *wirebson.Array) []any {
	var items []any
	for item := range array.Values() {
		items = append(items, item)
	}
	return items
}

func documentsOf(items []any) []*wirebson.Document {
	var documents []*wirebson.Document
	for _, item := range items {
		if document, ok := item.(*wirebson.Document); ok {
			documents = append(documents, document)
		}
	}
	return documents
}

func (o *outcome) message() (*wire.OpMsg, error) {
	document := wirebson.MustDocument("n", o.n)
	if o.counted {
		_ = document.Add("nModified", o.modified)
	}
	for name, entries := range map[string][]any{"upserted": o.upserted, "writeErrors": o.failed} {
		if len(entries) > 0 {
			_ = document.Add(name, wirebson.MustArray(entries...))
		}
	}
	_ = document.Add("ok", float64(1))
	return wire.NewOpMsg(document)
}
