// Checks the types of examples as if each were a file of its own beside the tests.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { Example } from './examples.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The mistakes TypeScript finds in examples that import from the package. */
export function typeErrors(examples: readonly Example[]): string[] {
  const project = join(root, 'tsconfig.json');
  const { config } = ts.readConfigFile(project, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root, undefined, project);
  const files = new Map<string, Example>();
  for (const [i, example] of examples.entries()) {
    if (example.code.some((line) => line.includes("from 'chainrule'"))) {
      files.set(join(root, 'test', 'docs', `example-${i}.ts`), example);
    }
  }
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  const text = (path: string) => files.get(path)?.code.join('\n');
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => text(path) ?? readFile(path);
  host.getSourceFile = (path, language, ...rest) => {
    const source = text(path);
    return source === undefined ? getSourceFile(path, language, ...rest) : ts.createSourceFile(path, source, language);
  };
  // Variables that an example only shows are no mistake.
  const checked = { ...options, noEmit: true, noUnusedLocals: false, rootDir: undefined };
  const program = ts.createProgram([...files.keys()], checked, host);
  return [...files].flatMap(([path, example]) => {
    const source = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map((diagnostic) => {
      const line = source?.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line ?? 0;
      return `${example.file}:${example.line + line}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')}`;
    });
  });
}
