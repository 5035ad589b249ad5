package main

import (
	"context"

	"github.com/FerretDB/wire"
	"github.com/FerretDB/wire/wirebson"

	"github.com/FerretDB/FerretDB/internal/bson"
	"github.com/FerretDB/FerretDB/internal/handler/common"
	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
	"github.com/FerretDB/FerretDB/internal/types"
)

// findAndModify adds what FerretDB lacks: a projection, and which index a duplicate violates.
func findAndModify(inner run) run {
	return func(ctx context.Context, asked *request) (*wire.OpMsg, error) {
		fields := asked.document.Get("fields")
		asked.document.Remove("fields")
		asked, err := asked.with(asked.document)
		if err != nil {
			return nil, err
		}
		noted, found := withViolations(ctx)
		reply, err := inner(noted, asked)
		if err != nil {
			return explain(err, asked, found)
		}
		if projection, ok := fields.(wirebson.AnyDocument); ok {
			return project(reply, asked, projection)
		}
		return reply, nil
	}
}

// explain turns a duplicate into the answer that names the index; other errors stay.
func explain(failure error, asked *request, found *violations) (*wire.OpMsg, error) {
	document := handlererrors.ProtocolError(failure).Document()
	if document.Get("code") != duplicateKey {
		return nil, failure
	}
	collection, _ := asked.document.Get(asked.name).(string)
	found.describe(asked.database+"."+collection, []*wirebson.Document{document})
	return wire.NewOpMsg(document)
}

// project applies a projection to the document in a reply's `value`.
func project(reply *wire.OpMsg, asked *request, wanted wirebson.AnyDocument) (*wire.OpMsg, error) {
	answer, err := bson.ToDocument(reply.RawSection0())
	if err != nil {
		return nil, err
	}
	value, _ := answer.Get("value")
	found, ok := value.(*types.Document)
	if !ok {
		return reply, nil
	}
	projection, err := bson.ToDocument(wanted)
	if err != nil {
		return nil, err
	}
	projection, inclusion, err := common.ValidateProjection(projection)
	if err != nil {
		return nil, err
	}
	filter := new(types.Document)
	if query, ok := asked.document.Get("query").(wirebson.AnyDocument); ok {
		if filter, err = bson.ToDocument(query); err != nil {
			return nil, err
		}
	}
	projected, err := common.ProjectDocument(found, projection, filter, inclusion)
	if err != nil {
		return nil, err
	}
	answer.Set("value", projected)
	converted, err := bson.FromDocument(answer)
	if err != nil {
		return nil, err
	}
	return wire.NewOpMsg(converted)
}
