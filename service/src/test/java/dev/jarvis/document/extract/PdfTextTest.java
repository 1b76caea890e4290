package dev.jarvis.document.extract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.pdfbox.cos.COSName;
import org.apache.pdfbox.cos.COSStream;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.PDPageContentStream;
import org.apache.pdfbox.pdmodel.PDPageContentStream.AppendMode;
import org.apache.pdfbox.pdmodel.PDResources;
import org.apache.pdfbox.pdmodel.common.PDRectangle;
import org.apache.pdfbox.pdmodel.font.PDType1Font;
import org.apache.pdfbox.pdmodel.font.Standard14Fonts.FontName;
import org.apache.pdfbox.pdmodel.interactive.annotation.PDAnnotationFreeText;
import org.apache.pdfbox.pdmodel.interactive.annotation.PDAnnotationText;
import org.apache.pdfbox.pdmodel.interactive.documentnavigation.destination.PDPageFitDestination;
import org.apache.pdfbox.pdmodel.interactive.documentnavigation.outline.PDDocumentOutline;
import org.apache.pdfbox.pdmodel.interactive.documentnavigation.outline.PDOutlineItem;
import org.apache.pdfbox.pdmodel.interactive.form.PDAcroForm;
import org.apache.pdfbox.pdmodel.interactive.form.PDTextField;
import org.apache.pdfbox.util.Matrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What is read of a PDF besides upright text. */
class PdfTextTest {
  @TempDir Path folder;

  private static final PDType1Font FONT = new PDType1Font(FontName.HELVETICA);

  /** Lines at a place from the point (300, 400), along the direction of their text. */
  private record Lines(float x, float y, List<String> lines) {}

  private static Lines at(float x, float y, String... lines) {
    return new Lines(x, y, List.of(lines));
  }

  private static PDPage page(PDDocument pdf, double degrees, String... lines) throws Exception {
    return page(pdf, degrees, at(0, 0, lines));
  }

  private static PDPage page(PDDocument pdf, double degrees, Lines lines) throws Exception {
    PDPage page = new PDPage();
    pdf.addPage(page);
    draw(pdf, page, degrees, lines);
    return page;
  }

  private static void draw(PDDocument pdf, PDPage page, double degrees, Lines lines)
      throws Exception {
    draw(pdf, page, degrees, FONT, lines);
  }

  private static void draw(
      PDDocument pdf, PDPage page, double degrees, PDType1Font font, Lines lines) throws Exception {
    try (PDPageContentStream content =
        new PDPageContentStream(pdf, page, AppendMode.APPEND, false, true)) {
      Matrix matrix = Matrix.getRotateInstance(Math.toRadians(degrees), 300, 400);
      matrix.translate(lines.x, lines.y);
      content.beginText();
      content.setFont(font, 12);
      content.setLeading(14);
      content.setTextMatrix(matrix);
      for (String line : lines.lines) {
        content.showText(line);
        content.newLine();
      }
      content.endText();
    }
  }

  private String text(PDDocument pdf) throws Exception {
    return read(pdf).getFirst().text().strip();
  }

  private List<Section> read(PDDocument pdf) throws Exception {
    Path file = folder.resolve("a.pdf");
    pdf.save(file.toFile());
    List<Section> sections = new ArrayList<>();
    SectionWriter writer =
        new SectionWriter(10_000) {
          @Override
          void write(Section section) {
            sections.add(section);
          }
        };
    PdfText.read(file, 10, writer);
    return sections;
  }

  @ParameterizedTest
  @CsvSource({"0", "90", "180", "270"})
  void readsTurnedTextAsLines(double degrees) throws Exception {
    try (PDDocument pdf = new PDDocument()) {
      page(pdf, degrees, "Berths of the harbour", "Second line");
      assertThat(read(pdf).getFirst().text().strip())
          .isEqualTo("Berths of the harbour\nSecond line");
    }
  }

  static Stream<Arguments> turns() {
    int[] turns = {0, 90, 180, 270};
    return IntStream.of(turns)
        .boxed()
        .flatMap(page -> IntStream.of(turns).mapToObj(text -> arguments(page, text)));
  }

  @ParameterizedTest
  @MethodSource("turns")
  void keepsLinesAndColumnsOnTurnedPages(int page, int text) throws Exception {
    try (PDDocument pdf = new PDDocument()) {
      PDPage turned = page(pdf, text, at(-200, 60, "Berths of the harbour", "Second line"));
      turned.setRotation(page);
      assertThat(text(pdf)).isEqualTo("Berths of the harbour\nSecond line");
      draw(pdf, turned, text, at(20, 60, "Fees", "Per night"));
      assertThat(text(pdf)).isEqualTo("Berths of the harbour\nSecond line\nFees\nPer night");
    }
  }

  @Test
  void readsFirstWhatIsUprightInAViewer() throws Exception {
    try (PDDocument pdf = new PDDocument()) {
      PDPage page = page(pdf, 0, at(0, 0, "Turned"));
      draw(pdf, page, 90, at(0, 50, "Upright"));
      page.setRotation(90);
      assertThat(text(pdf)).isEqualTo("Upright\nTurned");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0, Journal 451, -200, 454, Journal 451 454",
    "0, 104, -200, Introduction, 104 Introduction",
    "0, 10, -20, 8, 10 8",
    "0, 'a ', -20, b, a b",
    "0, Plan, 24.5, ning, Planning",
    "0, e, 0.5, ´, e\u0301",
    "0, Berth, 0.3, Berth, Berth",
    "0, ab, 100, c, ab c",
  })
  void separatesWhatFollowsFurtherLeft(
      float x, String first, float next, String second, String text) throws Exception {
    for (int direction : new int[] {0, 90, 180, 270}) {
      try (PDDocument pdf = new PDDocument()) {
        PDPage page = page(pdf, direction, at(x, 0, first));
        draw(pdf, page, direction, at(next, 0, second));
        assertThat(text(pdf)).isEqualTo(text);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, true", // the page shows 200 x 100 from (200, 300), in which text is at its middle
    "-95, 0, true",
    "-160, 0, false",
    "96, 0, true",
    "101, 0, false",
    "0, 45, true",
    "0, 51, false",
    "0, -49, true",
    "0, -60, false",
    "-103, -51, true",
    "1000, 0, false",
    "0, -1000, false",
  })
  void leavesOutWhatTheCropBoxCutsOff(float x, float y, boolean shown) throws Exception {
    for (int rotation : new int[] {0, 90, 180, 270}) {
      try (PDDocument pdf = new PDDocument()) {
        PDPage page = page(pdf, 0, at(x, y, "Berth"));
        page.setCropBox(new PDRectangle(200, 350, 200, 100));
        page.setRotation(rotation);
        assertThat(String.join("", read(pdf).stream().map(Section::text).toList()).isBlank())
            .isEqualTo(!shown);
      }
    }
  }

  @Test
  void readsAllIfTheCropBoxIsEmpty() throws Exception {
    try (PDDocument pdf = new PDDocument()) {
      page(pdf, 0, at(0, 0, "Berth")).setCropBox(new PDRectangle(0, 0, 0, 0));
      assertThat(text(pdf)).isEqualTo("Berth");
    }
  }

  /** The glyph of the letter h stands for an Arabic word, too, as some programs write it. */
  @Test
  void keepsWordsWholeBesideThoseFromRightToLeft() throws Exception {
    try (PDDocument pdf = new PDDocument()) {
      COSStream unicode = pdf.getDocument().createCOSStream();
      try (OutputStream out = unicode.createOutputStream()) {
        out.write(
            """
            /CMapName /X def
            1 begincodespacerange <00> <ff> endcodespacerange
            1 beginbfchar <68> <062d0628064a062800200068> endbfchar
            1 beginbfrange <61> <67> <0061> endbfrange
            1 beginbfrange <69> <7a> <0069> endbfrange
            """
                .getBytes(StandardCharsets.US_ASCII));
      }
      PDType1Font font = new PDType1Font(FontName.HELVETICA);
      font.getCOSObject().setItem(COSName.TO_UNICODE, unicode);
      PDPage page = page(pdf, 0);
      draw(pdf, page, 0, font, at(0, 0, "habibi"));
      assertThat(text(pdf)).contains("habibi", "حبيب");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "infor-,mation desk,information desk",
    "Jean-,Pierre,'Jean-\nPierre'",
    "2024-,2025,'2024-\n2025'",
    "a long-term and a long-,term plan,a long-term and a long-term plan",
    "one -,two,'one -\ntwo'",
  })
  void joinsWordsDividedAtTheEndOfLines(String first, String second, String text) throws Exception {
    assertThat(new Hyphens().join(first + "\n" + second)).isEqualTo(text);
  }

  @Test
  void keepsTheHyphensOfWordsThatAPageBeforeHas() {
    Hyphens hyphens = new Hyphens();
    hyphens.join("A Market-based price.");
    assertThat(hyphens.join("market-\nbased infor-\nmation")).isEqualTo("market-based information");
  }

  @Test
  void readsFormsAndTextOnTopButNoComments() throws Exception {
    try (PDDocument pdf = new PDDocument()) {
      PDPage page = page(pdf, 0, "Registration");
      PDAcroForm form = new PDAcroForm(pdf);
      PDResources resources = new PDResources();
      resources.put(COSName.getPDFName("F"), FONT);
      form.setDefaultResources(resources);
      pdf.getDocumentCatalog().setAcroForm(form);
      PDTextField field = new PDTextField(form);
      field.setPartialName("n1");
      field.setAlternateFieldName("First name");
      field.setDefaultAppearance("/F 12 Tf");
      form.getFields().add(field);
      field.getWidgets().getFirst().setPage(page);
      page.getAnnotations().add(field.getWidgets().getFirst());
      field.getCOSObject().setString(COSName.V, "Alice");
      PDAnnotationFreeText onTop = new PDAnnotationFreeText();
      onTop.setContents("Paid in cash");
      PDAnnotationText comment = new PDAnnotationText();
      comment.setContents("pop-up");
      page.setAnnotations(List.of(field.getWidgets().getFirst(), onTop, comment));
      assertThat(read(pdf).getFirst().text())
          .contains("Registration", "First name: Alice", "Paid in cash")
          .doesNotContain("pop-up");
    }
  }

  @Test
  void takesBookmarksAsTheHeadingsOfWholePages() throws Exception {
    try (PDDocument pdf = new PDDocument()) {
      PDDocumentOutline outline = new PDDocumentOutline();
      pdf.getDocumentCatalog().setDocumentOutline(outline);
      PDOutlineItem rules = item("Rules", page(pdf, 0, "one"));
      outline.addLast(rules);
      rules.addLast(item("Fees", page(pdf, 0, "two")));
      page(pdf, 0, "three");
      assertThat(read(pdf))
          .extracting(Section::page, Section::heading)
          .containsExactly(
              org.assertj.core.groups.Tuple.tuple(1, ""),
              org.assertj.core.groups.Tuple.tuple(2, "Rules"),
              org.assertj.core.groups.Tuple.tuple(3, "Rules › Fees"));
    }
  }

  @Test
  void takesBookmarksInTheOrderOfTheirPages() throws Exception {
    try (PDDocument pdf = new PDDocument()) {
      PDDocumentOutline outline = new PDDocumentOutline();
      pdf.getDocumentCatalog().setDocumentOutline(outline);
      List<PDPage> pages = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        pages.add(page(pdf, 0, "text"));
      }
      outline.addLast(item("Annex", pages.get(4)));
      outline.addLast(item("Fees", pages.get(1)));
      outline.addLast(item("Rules", pages.get(2)));
      assertThat(read(pdf))
          .extracting(Section::heading)
          .containsExactly("", "", "", "Rules", "", "Annex");
    }
  }

  private static PDOutlineItem item(String title, PDPage page) {
    PDOutlineItem item = new PDOutlineItem();
    item.setTitle(title);
    PDPageFitDestination destination = new PDPageFitDestination();
    destination.setPage(page);
    item.setDestination(destination);
    return item;
  }
}
