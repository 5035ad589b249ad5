package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/FerretDB/wire"
	"github.com/FerretDB/wire/wirebson"
	"github.com/FerretDB/wire/wireclient"
)

const timeout = 5 * time.Second

// client is one connection that has logged in, if there was a user.
type client struct{ *wireclient.Conn }

// serverError is a command's failure, worded as the shell words it.
type serverError struct{ code, message string }

func (e serverError) Error() string { return "MongoServerError[" + e.code + "]: " + e.message }

func connect(where target) (*client, error) {
	network, address := where.endpoint()
	raw, err := net.DialTimeout(network, address, timeout)
	if err != nil {
		return nil, fmt.Errorf("MongoNetworkError: %w", err)
	}
	c := &client{wireclient.New(raw, slog.New(slog.DiscardHandler))}
	if where.user == "" {
		return c, nil
	}
	if err := c.login(where.user, where.password, where.authDatabase); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

func (c *client) login(user, password, database string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := c.Login(ctx, user, password, database); err != nil {
		return serverError{"AuthenticationFailed",
			fmt.Sprintf("Authentication failed for user %q on database %q", user, database)}
	}
	return nil
}

// command sends one command and returns its answer; an answer that is not ok is an error.
func (c *client) command(database string, document *wirebson.Document) (*wirebson.Document, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if document.Get("$db") == nil {
		if err := document.Add("$db", database); err != nil {
			return nil, err
		}
	}
	message, err := wire.NewOpMsg(document)
	if err != nil {
		return nil, err
	}
	_, body, err := c.Request(ctx, message)
	if err != nil {
		return nil, fmt.Errorf("MongoNetworkError: %w", err)
	}
	reply, ok := body.(*wire.OpMsg)
	if !ok {
		return nil, errors.New("MongoNetworkError: the answer is not of the wire protocol's kind")
	}
	answer, err := reply.RawSection0().DecodeDeep()
	if err != nil {
		return nil, err
	}
	if answer.Get("ok") != float64(1) {
		return nil, serverError{fmt.Sprint(answer.Get("codeName")), fmt.Sprint(answer.Get("errmsg"))}
	}
	return answer, nil
}
