// Errors of the input; those of the socket itself are the engine's (SOCKET_...).
import { defineErrors } from '@millrace/engine/plugin'

export const udpError = defineErrors({
  UDP_SILENT: {
    sentence: 'No datagram arrived for `readTimeout`.',
    hint: 'Check the sender, the firewall, and for multicast the `interface` and the switch (IGMP snooping needs a querier). `tcpdump -ni INTERFACE udp port PORT` shows what reaches this machine.',
    reaction: 'retry',
  },
})
