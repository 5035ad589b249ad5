package main

import (
	"encoding/binary"
	"fmt"
)

type apiRange struct{ key, lowest, highest int16 }

type broker struct {
	id   int32
	host string
	port int32
	rack string
}

type cluster struct {
	brokers    []broker
	controller int32
	topics     []string
}

func (c *connection) apiVersions() ([]apiRange, error) {
	answer, err := c.call(keyAPIVersions, 0, nil)
	if err != nil {
		return nil, err
	}
	if code := answer.int16(); code != 0 {
		return nil, fmt.Errorf("ApiVersions: error %d", code)
	}
	var ranges []apiRange
	answer.each(func() { ranges = append(ranges, apiRange{answer.int16(), answer.int16(), answer.int16()}) })
	return ranges, answer.err
}

// metadata asks for the cluster: with all its topics, or with none.
func (c *connection) metadata(withTopics bool) (cluster, error) {
	var found cluster
	wanted := uint32(0)
	if withTopics {
		wanted = 0xffffffff // null: all topics
	}
	answer, err := c.call(keyMetadata, 1, binary.BigEndian.AppendUint32(nil, wanted))
	if err != nil {
		return found, err
	}
	answer.each(func() {
		found.brokers = append(found.brokers, broker{answer.int32(), answer.string(), answer.int32(), answer.string()})
	})
	found.controller = answer.int32()
	answer.each(func() {
		answer.int16()
		found.topics = append(found.topics, answer.string())
		answer.bool()
		answer.each(func() {
			answer.int16()
			answer.int32()
			answer.int32()
			answer.each(func() { answer.int32() })
			answer.each(func() { answer.int32() })
		})
	})
	return found, answer.err
}
