package dev.jarvis.document.extract;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.pdfbox.cos.COSName;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.PDPageContentStream;
import org.apache.pdfbox.pdmodel.PDResources;
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
import org.junit.jupiter.params.provider.CsvSource;

/** What is read of a PDF besides upright text. */
class PdfTextTest {
  @TempDir Path folder;

  private static final PDType1Font FONT = new PDType1Font(FontName.HELVETICA);

  private static PDPage page(PDDocument pdf, double degrees, String... lines) throws Exception {
    PDPage page = new PDPage();
    pdf.addPage(page);
    try (PDPageContentStream content = new PDPageContentStream(pdf, page)) {
      content.beginText();
      content.setFont(FONT, 12);
      content.setLeading(14);
      content.setTextMatrix(Matrix.getRotateInstance(Math.toRadians(degrees), 300, 400));
      for (String line : lines) {
        content.showText(line);
        content.newLine();
      }
      content.endText();
    }
    return page;
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

  @ParameterizedTest
  @CsvSource({
    "infor-,mation desk,information desk",
    "Jean-,Pierre,'Jean-\nPierre'",
    "2024-,2025,'2024-\n2025'",
    "a long-term and a long-,term plan,a long-term and a long-term plan",
    "one -,two,'one -\ntwo'",
  })
  void joinsWordsDividedAtTheEndOfLines(String first, String second, String text) throws Exception {
    assertThat(Hyphens.join(first + "\n" + second)).isEqualTo(text);
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
