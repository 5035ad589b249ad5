package main

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Request keys (https://kafka.apache.org/protocol, "Api Keys"). All requests here use versions without tagged fields.
const (
	keyMetadata         = 3
	keySaslHandshake    = 17
	keyAPIVersions      = 18
	keySaslAuthenticate = 36
)

const timeout = 3 * time.Second

type connection struct {
	net.Conn
	correlation int32
}

func dial(address string, withTLS bool) (*connection, error) {
	raw, err := net.DialTimeout("tcp", address, timeout)
	if err != nil {
		return nil, err
	}
	_ = raw.SetDeadline(time.Now().Add(timeout))
	if withTLS {
		// The probe asks the broker beside it, whose certificate is for other names.
		raw = tls.Client(raw, &tls.Config{InsecureSkipVerify: true})
	}
	return &connection{Conn: raw}, nil
}

// call sends one request and returns the body of its response.
func (c *connection) call(key, version int16, body []byte) (*reader, error) {
	c.correlation++
	client := "devenv-probe"
	message := binary.BigEndian.AppendUint32(nil, uint32(10+len(client)+len(body)))
	message = binary.BigEndian.AppendUint16(message, uint16(key))
	message = binary.BigEndian.AppendUint16(message, uint16(version))
	message = binary.BigEndian.AppendUint32(message, uint32(c.correlation))
	message = append(appendString(message, client), body...)
	if _, err := c.Write(message); err != nil {
		return nil, err
	}
	var head [8]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return nil, fmt.Errorf("no answer: %w", err)
	}
	size := int(binary.BigEndian.Uint32(head[:4]))
	if size < 4 || size > 64<<20 || int32(binary.BigEndian.Uint32(head[4:])) != c.correlation {
		return nil, errors.New("the answer is not Kafka's protocol")
	}
	answer := make([]byte, size-4)
	_, err := io.ReadFull(c, answer)
	return &reader{data: answer}, err
}

// login authenticates with SASL/PLAIN (RFC 4616).
func (c *connection) login(user, password string) error {
	answer, err := c.call(keySaslHandshake, 1, appendString(nil, "PLAIN"))
	if err != nil {
		return err
	}
	if code := answer.int16(); code != 0 {
		return fmt.Errorf("the listener does not offer SASL/PLAIN (error %d)", code)
	}
	token := "\x00" + user + "\x00" + password
	body := append(binary.BigEndian.AppendUint32(nil, uint32(len(token))), token...)
	if answer, err = c.call(keySaslAuthenticate, 0, body); err != nil {
		return err
	}
	if code := answer.int16(); code != 0 {
		return fmt.Errorf("authentication failed: %s", answer.string())
	}
	return answer.err
}

func appendString(to []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16(to, uint16(len(text))), text...)
}

// reader takes big-endian fields off a response; after the end it yields zeros and keeps an error.
type reader struct {
	data []byte
	err  error
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.data) {
		r.data, r.err = nil, errors.New("the answer is cut short")
		return make([]byte, max(0, min(n, 8)))
	}
	taken := r.data[:n]
	r.data = r.data[n:]
	return taken
}

func (r *reader) bool() bool   { return r.take(1)[0] != 0 }
func (r *reader) int16() int16 { return int16(binary.BigEndian.Uint16(r.take(2))) }
func (r *reader) int32() int32 { return int32(binary.BigEndian.Uint32(r.take(4))) }

// string reads a nullable string; null is "".
func (r *reader) string() string {
	length := r.int16()
	if length < 0 {
		return ""
	}
	return string(r.take(int(length)))
}

// each runs read once for every element of an array, and stops at the end of the data.
func (r *reader) each(read func()) {
	for count := r.int32(); count > 0 && r.err == nil; count-- {
		read()
	}
}
