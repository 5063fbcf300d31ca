/**
 * A module in which each place counts how often it is reached: bodies, branches, and the right sides of
 * && || ??. With it come the words and numbers that the module has in it, which inputs may have to have.
 */
import ts from 'typescript';

export interface Instrumented {
  readonly code: string;
  /** The first number that is free for a place of another module. */
  readonly nextPlace: number;
  readonly words: ReadonlySet<string>;
  readonly numbers: ReadonlySet<number>;
}

const { factory } = ts;

/** `hits` is where it is imported from. */
export function instrument(source: string, hits: string, firstPlace: number): Instrumented {
  const words = new Set<string>();
  const numbers = new Set<number>();
  let place = firstPlace;

  /** `hits[place]++` */
  const count = (): ts.Expression => {
    const counter = factory.createElementAccessExpression(factory.createIdentifier(HITS), place);
    place += 1;
    return factory.createPostfixIncrement(counter);
  };
  const counting = (expression: ts.Expression): ts.Expression =>
    factory.createParenthesizedExpression(
      factory.createBinaryExpression(count(), ts.SyntaxKind.CommaToken, expression),
    );
  const statements = (list: readonly ts.Statement[]): ts.Statement[] => [
    factory.createExpressionStatement(count()),
    ...list,
  ];
  const block = (statement: ts.Statement): ts.Statement =>
    ts.isBlock(statement) ? statement : factory.createBlock(statements([statement]), true);

  const transform: ts.TransformerFactory<ts.SourceFile> = (context) => {
    const visit = (original: ts.Node): ts.Node => {
      const node = ts.visitEachChild(original, visit, context);
      if (ts.isStringLiteralLike(node)) words.add(node.text);
      else if (ts.isRegularExpressionLiteral(node)) words.add(node.text.slice(1, -1));
      else if (ts.isNumericLiteral(node)) numbers.add(Number(node.text));
      else if (ts.isBlock(node)) return factory.updateBlock(node, statements([...node.statements]));
      else if (ts.isCaseClause(node))
        return factory.updateCaseClause(node, node.expression, statements([...node.statements]));
      else if (ts.isDefaultClause(node))
        return factory.updateDefaultClause(node, statements([...node.statements]));
      else if (ts.isIfStatement(node)) {
        const other = node.elseStatement && block(node.elseStatement);
        return factory.updateIfStatement(node, node.expression, block(node.thenStatement), other);
      } else if (ts.isConditionalExpression(node)) return conditional(node);
      else if (ts.isBinaryExpression(node) && SHORT_CUTS.has(node.operatorToken.kind))
        return factory.updateBinaryExpression(
          node,
          node.left,
          node.operatorToken,
          counting(node.right),
        );
      else if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) return arrow(node, node.body);
      return node;
    };
    return (file) => ts.visitEachChild(file, visit, context);
  };
  const conditional = (node: ts.ConditionalExpression): ts.Expression =>
    factory.updateConditionalExpression(
      node,
      node.condition,
      node.questionToken,
      counting(node.whenTrue),
      node.colonToken,
      counting(node.whenFalse),
    );
  const arrow = (node: ts.ArrowFunction, body: ts.Expression): ts.Expression =>
    factory.updateArrowFunction(
      node,
      node.modifiers,
      node.typeParameters,
      node.parameters,
      node.type,
      node.equalsGreaterThanToken,
      counting(body),
    );

  const file = ts.createSourceFile('module.js', source, ts.ScriptTarget.Latest, true);
  const { transformed } = ts.transform(file, [transform]);
  const printed = transformed.map((one) => ts.createPrinter().printFile(one)).join('');
  const code = `import { hits as ${HITS} } from '${hits}';\n${printed}`;
  return { code, nextPlace: place, words, numbers };
}

const HITS = '__hits';

const SHORT_CUTS: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
]);
