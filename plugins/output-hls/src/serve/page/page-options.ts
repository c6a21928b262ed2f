// The option `page` of an output: the player page, and what it looks like.
import { choice, flag, path } from '@millrace/engine/plugin'
import { z } from 'zod'

const IMAGE = /\.(avif|gif|jpe?g|png|svg|webp)$/i
const NOT_AN_IMAGE = 'must be an image: .avif, .gif, .jpg, .png, .svg or .webp'
/** `https://tv.example`, `https://*.tv.example:8443`: a source of `frame-ancestors`, CSP level 3, section 2.3.1. */
const ORIGIN = /^(\*|https?:\/\/(\*\.)?[a-z0-9.-]+(:\d{1,5})?)$/i

function image(): z.ZodType<string, string> {
  return path({ exists: 'required' }).refine((file) => IMAGE.test(file), NOT_AN_IMAGE)
}

const look = z.strictObject({
  title: z.string().min(1).max(200).optional().meta({
    description: 'What the page is called. By default the name of the pipeline.',
  }),
  color: z
    .string()
    .regex(/^#[0-9a-f]{6}$/i, 'must be a color such as "#3daa48"')
    .default('#4f8cff')
    .meta({ description: 'Color of buttons and of the seek bar.' }),
  poster: image().optional().meta({
    description:
      'Image file that is shown until there is a picture, and for radio. By default the picture of an output `snapshot` of the pipeline on the same listener.',
  }),
  logo: z
    .strictObject({
      image: image().meta({ description: 'Image file that is shown over the picture.' }),
      link: z
        .string()
        .regex(/^https?:\/\/\S+$/, 'must be a URL that starts with http:// or https://')
        .optional()
        .meta({ description: 'Where a click on it leads. By default nowhere.' }),
      position: choice('top-right', 'top-left', 'bottom-right', 'bottom-left').default('top-right').meta({
        description: 'The corner in which it is shown.',
      }),
    })
    .optional()
    .meta({ description: 'A logo over the picture. By default none.' }),
  embed: z
    .array(z.string().regex(ORIGIN, 'must be an origin such as https://www.example, without a path'))
    .max(50)
    .default([])
    .meta({
      description:
        'Origins whose web pages may show the page in a frame, such as https://www.example, or "*" for all. By default none.',
    }),
})

export type PageLook = z.output<typeof look>

export function pageOption() {
  return z.union([flag(), look]).default(false).meta({
    description:
      'A player page in the folder of `path`: `true`, or what it looks like. It needs no other server. By default there is none.',
  })
}

/** What the page looks like; undefined if there is none. */
export function lookOf(page: boolean | PageLook): PageLook | undefined {
  if (page === false) return undefined
  return page === true ? look.parse({}) : page
}
