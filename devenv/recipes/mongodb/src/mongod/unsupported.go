package main

import (
	"context"

	"github.com/FerretDB/wire"
	"github.com/FerretDB/wire/wirebson"

	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
)

// sessionCommands are drivers' housekeeping: without transactions a session holds nothing.
var sessionCommands = map[string]run{
	"endSessions": done, "killAllSessions": done, "killSessions": done, "refreshSessions": done,
	"abortTransaction": refuseTransactionCommand, "commitTransaction": refuseTransactionCommand,
}

var replicaSetCommands = []string{
	"replSetGetConfig", "replSetGetStatus", "replSetInitiate", "replSetReconfig", "replSetStepDown",
}

func done(context.Context, *request) (*wire.OpMsg, error) {
	return wire.NewOpMsg(wirebson.MustDocument("ok", float64(1)))
}

// refuseTransaction answers like a standalone mongod; FerretDB would run the statements one by one and say nothing.
func refuseTransaction(document *wirebson.Document) error {
	if document.Get("startTransaction") == nil && document.Get("autocommit") == nil {
		return nil
	}
	return refusal(handlererrors.ErrIllegalOperation,
		"Transaction numbers are only allowed on a replica set member or mongos (this stand-in has no transactions)")
}

func refuseTransactionCommand(_ context.Context, asked *request) (*wire.OpMsg, error) {
	return nil, refusal(handlererrors.ErrIllegalOperation,
		"%s: Transaction numbers are only allowed on a replica set member or mongos", asked.name)
}

func refuseReplicaSet(context.Context, *request) (*wire.OpMsg, error) {
	return failed(76, "NoReplicationEnabled", "not running with --replSet (this stand-in has no replica sets)")
}

// failed is an answer with one of mongod's codes that FerretDB does not know.
func failed(code int32, name, message string) (*wire.OpMsg, error) {
	return wire.NewOpMsg(wirebson.MustDocument("ok", float64(0), "errmsg", message, "code", code, "codeName", name))
}

// refuseChangeStream says so before FerretDB complains of something else in the same command.
func refuseChangeStream(inner run) run {
	return func(ctx context.Context, asked *request) (*wire.OpMsg, error) {
		if firstStage(asked.document.Get("pipeline")) == "$changeStream" {
			return failed(40573, "Location40573",
				"The $changeStream stage is only supported on replica sets (this stand-in has none)")
		}
		return inner(ctx, asked)
	}
}

func firstStage(pipeline any) string {
	array, ok := pipeline.(wirebson.AnyArray)
	if !ok {
		return ""
	}
	stages, err := array.Decode()
	if err != nil || stages.Len() == 0 {
		return ""
	}
	raw, ok := stages.Get(0).(wirebson.AnyDocument)
	if !ok {
		return ""
	}
	stage, err := raw.Decode()
	if err != nil {
		return ""
	}
	return stage.Command()
}
