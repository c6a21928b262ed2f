import assert from 'node:assert/strict'
import { test } from 'node:test'
import { streamsyncNames } from './streamsync-names.js'

const AT = 'pipeline="listeners",node="srt",type="srt"'
const SCRAPE = `# HELP millrace_srt_connections x
# TYPE millrace_srt_connections gauge
millrace_srt_connections{${AT},mode="publish"} 1
millrace_srt_connections{${AT},mode="request"} 2
millrace_srt_connections_total{${AT},mode="publish"} 3
millrace_srt_connections_total{${AT},mode="request"} 4
millrace_srt_stream_sent_packets_total{${AT},stream="a\\"b",mode="request"} 70
millrace_srt_stream_sent_packets_total{${AT},stream="a\\"b",mode="publish"} 0
millrace_srt_stream_received_packets_total{${AT},stream="c",mode="publish"} 100
millrace_srt_stream_received_retransmitted_total{${AT},stream="c",mode="publish"} 10
millrace_srt_stream_rtt_seconds{${AT},stream="c",mode="publish"} 0.04
millrace_srt_stream_rtt_seconds{${AT},stream="c",mode="request"} 0.02
`

test("streamsync's names have the values of the listeners, with HELP and TYPE", () => {
  const text = streamsyncNames(SCRAPE)
  const rows = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  assert.deepEqual(rows, [
    'srt_connections_total 7',
    'srt_connections_current{mode="publish"} 1',
    'srt_connections_current{mode="request"} 2',
    'srt_connection_data_packets_sent{id="a\\"b"} 70',
    'srt_connection_data_packets_recv{id="c",type="original"} 90',
    'srt_connection_data_packets_recv{id="c",type="retransmitted"} 10',
    'srt_connection_rtt{id="c"} 40000',
  ])
  assert.match(text, /# HELP srt_connection_rtt Longest[^\n]*\n# TYPE srt_connection_rtt gauge\n/)
  assert.equal(streamsyncNames('millrace_up 1\n'), '')
})
