//! The parser: the types of operands, and what is reported of a filter that is wrong.

use super::token::Token;
use super::{Comparison, Fault, FilterError, Function, Node, SyntaxFault};
use crate::limits::MAX_FILTER_DEPTH;

/// Parses and checks a filter.
pub(super) fn parse(filter: &str) -> Result<Node, Box<FilterError>> {
    let mut parser = Parser { filter, next: 0, token: Token::End, start: 0, end: 0, depth: 0, fault: None };
    parser.advance()?;
    let start = parser.start;
    let operand = parser.or()?;
    if parser.token != Token::End {
        return Err(parser.syntax_error(SyntaxFault::Unexpected, parser.next));
    }
    parser.report_unsupported(std::slice::from_ref(&operand), start);
    parser.expect(Kind::Bool, &operand, start);
    parser.fault.map_or(Ok(operand.node), Err)
}

/// One token ahead. Faults of syntax end the parsing; of the others the first is kept, and reported
/// if the syntax is right to the end.
///
/// Source: docs/spec/rest.md#filter-grammar.
struct Parser<'a> {
    filter: &'a str,
    /// Where the text after `token` begins, in bytes; so are the others.
    next: usize,
    token: Token<'a>,
    /// Where `token` begins.
    start: usize,
    /// Where the token before it ended.
    end: usize,
    depth: usize,
    fault: Option<Box<FilterError>>,
}

/// A parsed part of the filter.
struct Operand<'a> {
    node: Node,
    kind: Kind,
    nullness: Nullness,
    /// An identifier or literal that there is not, still to be reported with the clause around it.
    unsupported: Option<&'a str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Null,
    Bool,
    Int,
    Text,
    Groups,
}

/// Whether something is null for the connection that the hosted service checks types with: one
/// without user and subprotocol. Its messages show that.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nullness {
    Never,
    /// It is `userId` or `protocol`.
    Own,
    /// It is made of one.
    Derived,
}

impl<'a> Operand<'a> {
    fn new(node: Node, kind: Kind) -> Self {
        Self { node, kind, nullness: Nullness::Never, unsupported: None }
    }

    fn unsupported(token: &'a str) -> Self {
        Self { unsupported: Some(token), ..Self::new(Node::Null, Kind::Null) }
    }

    /// The type as messages call it.
    fn shown(&self) -> &'static str {
        if self.nullness == Nullness::Derived { Kind::Null.name() } else { self.kind.name() }
    }
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Text => "string",
            Self::Groups => "collection",
        }
    }
}

impl Comparison {
    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "eq" => Self::Equal,
            "ne" => Self::NotEqual,
            "gt" => Self::Greater,
            "ge" => Self::GreaterOrEqual,
            "lt" => Self::Less,
            "le" => Self::LessOrEqual,
            _ => return None,
        })
    }
}

impl Function {
    /// By its name in any case, with the numbers of arguments that it takes.
    fn from_word(word: &str) -> Option<(Self, [usize; 2])> {
        const FUNCTIONS: [(&str, Function, [usize; 2]); 10] = [
            ("tolower", Function::ToLower, [1, 1]),
            ("toupper", Function::ToUpper, [1, 1]),
            ("trim", Function::Trim, [1, 1]),
            ("substring", Function::Substring, [2, 3]),
            ("concat", Function::Concat, [2, 2]),
            ("contains", Function::Contains, [2, 2]),
            ("startswith", Function::StartsWith, [2, 2]),
            ("endswith", Function::EndsWith, [2, 2]),
            ("indexof", Function::IndexOf, [2, 2]),
            ("length", Function::Length, [1, 1]),
        ];
        let (_, function, arguments) = FUNCTIONS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(word))?;
        Some((*function, *arguments))
    }
}

impl<'a> Parser<'a> {
    fn or(&mut self) -> Result<Operand<'a>, Box<FilterError>> {
        self.chain("or", Self::and, Node::Or)
    }

    fn and(&mut self) -> Result<Operand<'a>, Box<FilterError>> {
        self.chain("and", Self::comparison, Node::And)
    }

    /// One operand, or several with the same operator between them.
    fn chain(
        &mut self,
        operator: &str,
        operand: fn(&mut Self) -> Result<Operand<'a>, Box<FilterError>>,
        node: fn(Vec<Node>) -> Node,
    ) -> Result<Operand<'a>, Box<FilterError>> {
        let start = self.start;
        let first = operand(self)?;
        if self.token != Token::Word(operator) {
            return Ok(first);
        }
        let mut nodes = Vec::new();
        let mut unchecked = vec![first];
        while self.token == Token::Word(operator) {
            self.advance()?;
            unchecked.push(operand(self)?);
            self.report_unsupported(&unchecked, start);
            for operand in unchecked.drain(..) {
                self.expect(Kind::Bool, &operand, start);
                nodes.push(operand.node);
            }
        }
        Ok(Operand::new(node(nodes), Kind::Bool))
    }

    fn comparison(&mut self) -> Result<Operand<'a>, Box<FilterError>> {
        let start = self.start;
        let left = self.unary()?;
        let Token::Word(word) = self.token else { return Ok(left) };
        if word == "in" {
            self.advance()?;
            return self.membership(left, start);
        }
        let Some(comparison) = Comparison::from_word(word) else { return Ok(left) };
        self.advance()?;
        let operands = [left, self.unary()?];
        self.report_unsupported(&operands, start);
        if !matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
            for operand in &operands {
                // Nothing is greater or less than null, but it may be asked.
                if operand.kind != Kind::Null && operand.kind != Kind::Int {
                    self.blame(start, Fault::Type { found: operand.kind.name(), expected: Kind::Int.name() });
                }
            }
        }
        Ok(Operand::new(
            Node::Compare(comparison, Box::new(operands.map(|operand| operand.node))),
            Kind::Bool,
        ))
    }

    /// What follows `in`.
    fn membership(&mut self, left: Operand<'a>, start: usize) -> Result<Operand<'a>, Box<FilterError>> {
        let mut operands = vec![left];
        let is_list = self.token == Token::Open;
        if is_list {
            self.list(&mut operands, Self::primary)?;
            if operands.len() == 1 {
                return Err(self.syntax_error(SyntaxFault::Operand, self.end.saturating_sub(1)));
            }
        } else {
            operands.push(self.primary()?);
        }
        self.report_unsupported(&operands, start);
        if let [_, only] = &*operands
            && (!is_list || only.kind == Kind::Groups)
        {
            self.expect(Kind::Groups, only, start);
            let item = operands.swap_remove(0);
            return Ok(Operand::new(Node::InGroups(Box::new(item.node)), Kind::Bool));
        }
        let nodes = operands.into_iter().map(|operand| operand.node).collect();
        Ok(Operand::new(Node::InList(nodes), Kind::Bool))
    }

    fn unary(&mut self) -> Result<Operand<'a>, Box<FilterError>> {
        if self.token != Token::Word("not") {
            return self.primary();
        }
        let start = self.start;
        self.deeper()?;
        self.advance()?;
        let operand = self.unary()?;
        self.depth -= 1;
        if operand.unsupported.is_none() {
            self.expect(Kind::Bool, &operand, start);
        }
        let node = Node::Not(Box::new(operand.node));
        Ok(Operand { unsupported: operand.unsupported, ..Operand::new(node, Kind::Bool) })
    }

    fn primary(&mut self) -> Result<Operand<'a>, Box<FilterError>> {
        let start = self.start;
        match self.token {
            Token::End | Token::Close | Token::Comma => Err(self.syntax_error(SyntaxFault::Operand, start)),
            Token::Open => {
                self.deeper()?;
                self.advance()?;
                let operand = self.or()?;
                self.close(SyntaxFault::Parenthesis)?;
                Ok(operand)
            }
            Token::Text(quoted) => {
                self.advance()?;
                let pieces: Vec<&str> = quoted.split('\'').step_by(2).collect();
                Ok(Operand::new(Node::Text(pieces.join("'").into()), Kind::Text))
            }
            Token::Number(number) => {
                self.advance()?;
                let int = number.parse().map(|int| Operand::new(Node::Int(int), Kind::Int));
                Ok(int.unwrap_or_else(|_| Operand::unsupported(number)))
            }
            Token::Word(word) => {
                self.advance()?;
                if self.token == Token::Open { self.call(word, start) } else { Ok(identifier(word)) }
            }
        }
    }

    /// A function's arguments, and what it makes of them.
    fn call(&mut self, name: &str, start: usize) -> Result<Operand<'a>, Box<FilterError>> {
        let fault_before = self.fault.is_some();
        let mut arguments = Vec::new();
        self.list(&mut arguments, Self::or)?;
        let token = self.text(start, self.end);
        let fault = match Function::from_word(name) {
            None => Fault::Unsupported { token },
            Some((function, [least, most])) if (least..=most).contains(&arguments.len()) => {
                return Ok(self.apply(function, arguments, start));
            }
            Some(_) => Fault::Call { token },
        };
        if !fault_before {
            // What is wrong with the arguments does not matter then.
            self.fault = None;
        }
        self.blame(start, fault);
        Ok(Operand::new(Node::Null, Kind::Null))
    }

    /// Source: docs/spec/rest.md#filter-functions.
    fn apply(&mut self, function: Function, arguments: Vec<Operand<'a>>, start: usize) -> Operand<'a> {
        self.report_unsupported(&arguments, start);
        for (index, argument) in arguments.iter().enumerate() {
            match (function, argument.kind, index) {
                (Function::Length, Kind::Text | Kind::Groups | Kind::Null, _) => {}
                (Function::Length, Kind::Bool | Kind::Int, _) => {
                    self.blame(start, Fault::Call { token: self.text(start, self.end) });
                }
                (Function::Substring, _, 1..) => self.expect(Kind::Int, argument, start),
                (_, Kind::Text | Kind::Null, _) => {}
                (_, Kind::Bool | Kind::Int | Kind::Groups, _) => self.expect(Kind::Text, argument, start),
            }
        }
        let is_null =
            |argument: &Operand<'_>| argument.kind == Kind::Null || argument.nullness != Nullness::Never;
        let (kind, is_null) = match function {
            Function::ToLower | Function::ToUpper | Function::Trim | Function::Substring => {
                (Kind::Text, arguments.first().is_some_and(is_null))
            }
            Function::Concat => (Kind::Text, arguments.iter().any(is_null)),
            Function::Contains | Function::StartsWith | Function::EndsWith => (Kind::Bool, false),
            Function::IndexOf => (Kind::Int, false),
            Function::Length => (Kind::Int, arguments.first().is_some_and(is_null)),
        };
        let nullness = if is_null { Nullness::Derived } else { Nullness::Never };
        let nodes = arguments.into_iter().map(|argument| argument.node).collect();
        Operand { nullness, ..Operand::new(Node::Call(function, nodes), kind) }
    }

    /// Parentheses with what they hold, if anything, commas between.
    fn list(
        &mut self,
        operands: &mut Vec<Operand<'a>>,
        operand: fn(&mut Self) -> Result<Operand<'a>, Box<FilterError>>,
    ) -> Result<(), Box<FilterError>> {
        self.deeper()?;
        self.advance()?;
        if self.token == Token::Close {
            return self.close(SyntaxFault::List);
        }
        loop {
            operands.push(operand(self)?);
            if self.token != Token::Comma {
                return self.close(SyntaxFault::List);
            }
            self.advance()?;
        }
    }

    fn deeper(&mut self) -> Result<(), Box<FilterError>> {
        self.depth += 1;
        if self.depth > MAX_FILTER_DEPTH {
            return Err(Box::new(FilterError::TooDeep { filter: self.filter.to_owned() }));
        }
        Ok(())
    }

    fn close(&mut self, otherwise: SyntaxFault) -> Result<(), Box<FilterError>> {
        if self.token != Token::Close {
            return Err(self.syntax_error(otherwise, self.start));
        }
        self.depth -= 1;
        self.advance()
    }

    /// Finds a clause, which begins at `start` and ends here, at fault if an operand of it is not of
    /// this kind for every connection.
    fn expect(&mut self, kind: Kind, operand: &Operand<'_>, start: usize) {
        if operand.kind != kind || operand.nullness == Nullness::Derived {
            self.blame(start, Fault::Type { found: operand.shown(), expected: kind.name() });
        }
    }

    fn report_unsupported(&mut self, operands: &[Operand<'_>], start: usize) {
        for token in operands.iter().filter_map(|operand| operand.unsupported) {
            self.blame(start, Fault::Unsupported { token: token.to_owned() });
        }
    }

    fn blame(&mut self, start: usize, fault: Fault) {
        if self.fault.is_none() {
            let clause = self.text(start, self.end);
            self.fault = Some(Box::new(FilterError::Clause { clause, fault }));
        }
    }

    fn syntax_error(&self, fault: SyntaxFault, at: usize) -> Box<FilterError> {
        FilterError::syntax(self.filter, fault, at)
    }

    fn text(&self, start: usize, end: usize) -> String {
        self.filter.get(start..end).unwrap_or_default().to_owned()
    }

    /// Reads the next token.
    fn advance(&mut self) -> Result<(), Box<FilterError>> {
        self.end = self.next;
        (self.token, self.start, self.next) = Token::read(self.filter, self.next)?;
        Ok(())
    }
}

/// A word that is no operator and no function.
///
/// Source: docs/spec/rest.md#filter-identifiers: the case of identifiers does not count.
fn identifier(word: &str) -> Operand<'_> {
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    match word {
        "true" => Operand::new(Node::Bool(true), Kind::Bool),
        "false" => Operand::new(Node::Bool(false), Kind::Bool),
        "null" => Operand::new(Node::Null, Kind::Null),
        _ if is("userId") => Operand { nullness: Nullness::Own, ..Operand::new(Node::UserId, Kind::Text) },
        _ if is("protocol") => {
            Operand { nullness: Nullness::Own, ..Operand::new(Node::Protocol, Kind::Text) }
        }
        _ if is("connectionId") => Operand::new(Node::ConnectionId, Kind::Text),
        _ if is("groups") => Operand::new(Node::Groups, Kind::Groups),
        _ => Operand::unsupported(word),
    }
}
