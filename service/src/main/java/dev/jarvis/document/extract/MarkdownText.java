package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.commonmark.node.Block;
import org.commonmark.node.FencedCodeBlock;
import org.commonmark.node.Heading;
import org.commonmark.node.HtmlBlock;
import org.commonmark.node.IndentedCodeBlock;
import org.commonmark.node.Node;
import org.commonmark.node.SourceSpan;
import org.commonmark.parser.IncludeSourceSpans;
import org.commonmark.parser.Parser;
import org.commonmark.renderer.text.TextContentRenderer;

/** Reads Markdown: its text as it is written, under its headings, which commonmark finds. */
final class MarkdownText {
  /** Blocks that nest are no headings; without them, parsing takes linear time. */
  private static final Set<Class<? extends Block>> BLOCKS =
      Set.of(Heading.class, FencedCodeBlock.class, IndentedCodeBlock.class, HtmlBlock.class);

  private static final Pattern FRONT_MATTER =
      Pattern.compile(
          "\\A\ufeff?---[ \t]*\\R(.*?\\R)(?:---|\\.\\.\\.)[ \t]*(?:\\R|\\z)", Pattern.DOTALL);

  private static final Pattern LEADING_LINES = Pattern.compile("\\A(?:[ \t]*+\\R)++");

  private final Parser parser =
      Parser.builder()
          .enabledBlockTypes(BLOCKS)
          .includeSourceSpans(IncludeSourceSpans.BLOCKS)
          .build();

  private final TextContentRenderer renderer = TextContentRenderer.builder().build();
  private final HeadingPath headings = new HeadingPath();
  private final SectionWriter writer;

  MarkdownText(SectionWriter writer) {
    this.writer = writer;
  }

  static void read(Path file, SectionWriter writer) throws IOException, ExtractionException {
    String text = PlainText.text(file, writer);
    Matcher frontMatter = FRONT_MATTER.matcher(text);
    if (frontMatter.find()) {
      writer.addLines("", frontMatter.group(1));
      text = text.substring(frontMatter.end());
    }
    new MarkdownText(writer).add(text);
  }

  /** Adds text under the headings of the texts that were added before. */
  void add(String text) throws IOException, ExtractionException {
    int start = 0;
    for (Node node = parser.parse(text).getFirstChild(); node != null; node = node.getNext()) {
      if (node instanceof Heading heading) {
        List<SourceSpan> spans = heading.getSourceSpans();
        SourceSpan last = spans.getLast();
        writer.add(0, headings.toString(), body(text, start, spans.getFirst().getInputIndex()));
        headings.enter(heading.getLevel(), renderer.render(heading).strip());
        start = Math.min(text.length(), last.getInputIndex() + last.getLength());
        if (!hasText(heading)) {
          writer.add(0, headings.parent(), headings.last());
        }
      }
    }
    writer.add(0, headings.toString(), body(text, start, text.length()));
  }

  /** Returns what is between two headings, without the blank lines after the first. */
  private static String body(String text, int start, int end) {
    return LEADING_LINES.matcher(text.substring(start, end)).replaceFirst("");
  }

  /** Adds a program under the current heading. */
  void addLines(String text) throws IOException, ExtractionException {
    writer.addLines(headings.toString(), text);
  }

  /** Whether anything is below a heading; if not, it would be no passage's context. */
  private static boolean hasText(Heading heading) {
    return heading.getNext() != null
        && !(heading.getNext() instanceof Heading next && next.getLevel() <= heading.getLevel());
  }
}
