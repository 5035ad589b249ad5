package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/FerretDB/wire"

	"github.com/FerretDB/FerretDB/internal/clientconn/conninfo"
	"github.com/FerretDB/FerretDB/internal/handler"
	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
)

// server speaks the wire protocol. FerretDB's own listener logs every failed command over several lines, answers
// writes that want no answer, and takes three seconds to stop.
type server struct {
	ferret *handler.Handler
	router *router
	log    *slog.Logger

	ctx    context.Context // ends the commands that are still running
	cancel context.CancelFunc

	mutex     sync.Mutex
	stopping  bool
	listeners []net.Listener
	clients   map[net.Conn]struct{}
	working   sync.WaitGroup
}

func newServer(ferret *handler.Handler, router *router, log *slog.Logger) *server {
	s := &server{ferret: ferret, router: router, log: log, clients: map[net.Conn]struct{}{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

func (s *server) listen(network, address string) (net.Addr, error) {
	listener, err := net.Listen(network, address)
	if err != nil {
		return nil, err
	}
	s.listeners = append(s.listeners, listener)
	go func() {
		for {
			client, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				s.log.Warn("Cannot accept a connection", "error", err)
				time.Sleep(50 * time.Millisecond) // out of file descriptors, most likely
				continue
			}
			if s.enter(client) {
				go s.serve(client)
			}
		}
	}()
	return listener.Addr(), nil
}

func (s *server) enter(client net.Conn) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.stopping {
		_ = client.Close()
		return false
	}
	s.clients[client] = struct{}{}
	s.working.Add(1)
	return true
}

// stop lets running commands end within the grace period; idle clients are disconnected at once.
func (s *server) stop(grace time.Duration) {
	s.mutex.Lock()
	s.stopping = true
	for _, listener := range s.listeners {
		_ = listener.Close()
	}
	for client := range s.clients {
		_ = client.SetReadDeadline(time.Now())
	}
	s.mutex.Unlock()

	ended := make(chan struct{})
	go func() { s.working.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(grace):
	}
	s.cancel()
}

func (s *server) serve(client net.Conn) {
	// Cursors live as long as their connection.
	ctx, cancel := context.WithCancel(s.ctx)
	defer func() {
		cancel()
		_ = client.Close()
		s.mutex.Lock()
		delete(s.clients, client)
		s.mutex.Unlock()
		s.working.Done()
	}()

	info := conninfo.New()
	info.Peer, _ = netip.ParseAddrPort(client.RemoteAddr().String())
	ctx = conninfo.Ctx(ctx, info)
	reader, writer := bufio.NewReader(client), bufio.NewWriter(client)
	for id := int32(1); ; id++ {
		header, body, err := wire.ReadMessage(reader)
		if err != nil && header == nil {
			s.left(client, err)
			return
		}
		reply := s.reply(ctx, client, body, err)
		if message, ok := body.(*wire.OpMsg); ok && message.Flags.FlagSet(wire.OpMsgMoreToCome) {
			continue // an unacknowledged write
		}
		if err := send(writer, reply, id, header.RequestID); err != nil {
			s.left(client, err)
			return
		}
	}
}

func (s *server) left(client net.Conn, err error) {
	var timeout net.Error
	if errors.Is(err, wire.ErrZeroRead) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &timeout) {
		return
	}
	s.log.Warn("Connection closed", "client", client.RemoteAddr().String(), "error", err)
}

// reply answers one message; `malformed` is what was wrong with its body.
func (s *server) reply(ctx context.Context, client net.Conn, body wire.MsgBody, malformed error) wire.MsgBody {
	var err error
	switch message := body.(type) {
	case *wire.OpMsg:
		var answer *wire.OpMsg
		if answer, err = s.answer(ctx, message); err == nil {
			return answer
		}
	case *wire.OpQuery: // the first message of many drivers
		var answer *wire.OpReply
		if answer, err = s.ferret.CmdQuery(ctx, message); err == nil {
			return answer
		}
		failure := handlererrors.ProtocolError(err).Document()
		answer, err = wire.NewOpReply(failure)
		if err != nil {
			panic(err)
		}
		return answer
	default:
		for cause := malformed; cause != nil; cause = errors.Unwrap(cause) {
			malformed = cause // the innermost, without the places it passed through
		}
		err = refusal(handlererrors.ErrBadValue, "%v", malformed)
	}
	failure := handlererrors.ProtocolError(err).Document()
	if failure.Get("codeName") == "InternalError" {
		s.log.Error("A command failed inside", "client", client.RemoteAddr().String(), "error", err)
	}
	answer, err := wire.NewOpMsg(failure)
	if err != nil {
		panic(err)
	}
	return answer
}

// answer runs a command; one that panics is answered with an error, as one that fails is.
func (s *server) answer(ctx context.Context, message *wire.OpMsg) (answer *wire.OpMsg, err error) {
	defer func() {
		switch panicked := recover(); {
		case panicked == nil:
		case strings.HasPrefix(fmt.Sprint(panicked), "invalid BSON type"):
			err = refusal(handlererrors.ErrBadValue, "this stand-in cannot store it: %v", panicked)
		default:
			s.log.Error("A command panicked", "panic", panicked, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", panicked)
		}
	}()
	return s.router.answer(ctx, message)
}

func send(writer *bufio.Writer, body wire.MsgBody, id, responseTo int32) error {
	content, err := body.MarshalBinary()
	if err != nil {
		return err
	}
	header := &wire.MsgHeader{
		MessageLength: int32(wire.MsgHeaderLen + len(content)), RequestID: id, ResponseTo: responseTo, OpCode: wire.OpCodeMsg,
	}
	if _, ok := body.(*wire.OpReply); ok {
		header.OpCode = wire.OpCodeReply
	}
	if err := wire.WriteMessage(writer, header, body); err != nil {
		return err
	}
	return writer.Flush()
}
