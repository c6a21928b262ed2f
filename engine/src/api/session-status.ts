// The shape of the answers about sessions of the status page.
import { z } from 'zod'

export const sessionStatusSchema = z
  .object({ signedIn: z.boolean() })
  .meta({ description: 'Whether the request has a session of the status page' })
