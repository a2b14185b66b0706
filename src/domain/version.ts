/** Version of the code, as in package.json. */
export const codeVersion = '0.1.0'
