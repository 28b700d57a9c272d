//! The headers that are known, field by field, for each kind of file.
//!
//! Headers are compared without case, spaces and punctuation, so `Order ID`, `order_id` and
//! `orderId` are one name. Within a field the earlier name wins; English first, then German,
//! French, Spanish and Dutch shop exports.

use super::{Entity, Field};

/// The known headers of one field.
#[derive(Debug, Clone, Copy)]
pub struct FieldNames {
    /// The field.
    pub field: Field,
    /// Headers that stand for it, the most telling first.
    pub headers: &'static [&'static str],
}

/// The fields of a kind of file and their known headers.
pub fn field_table(entity: Entity) -> &'static [FieldNames] {
    match entity {
        Entity::Refunds => REFUNDS,
        Entity::Orders => ORDERS,
        Entity::Customers => CUSTOMERS,
        Entity::Products => PRODUCTS,
        Entity::AdSpend => AD_SPEND,
        Entity::Events => EVENTS,
    }
}

/// A header without case, spaces and punctuation.
pub(crate) fn normalised(header: &str) -> String {
    header
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Takes `minor` or `cents` off the end of a normalised header that says so of its unit:
/// `price_minor` holds minor units.
pub(crate) fn split_minor_units(header: &str) -> Option<&str> {
    let stem = header
        .strip_suffix("minorunits")
        .or_else(|| header.strip_suffix("minor"))
        .or_else(|| header.strip_suffix("incents"))
        .or_else(|| header.strip_suffix("cents"))?;
    (!stem.is_empty()).then_some(stem)
}

macro_rules! table {
    ($($field:ident: $($header:literal)*;)*) => {
        &[$(FieldNames { field: Field::$field, headers: &[$($header),*] },)*]
    };
}

const EVENTS: &[FieldNames] = table! {
    EventName: "event" "event name" "event type" "Ereignis" "Ereignisname" "événement" "evento"
        "gebeurtenis";
    CustomerId: "user id" "customer id" "id customer" "customer" "customer no" "customer number" "client id"
        "member id" "contact id" "respondent id" "Kundennummer" "Kunden-ID" "numéro client"
        "id client" "número de cliente" "id cliente" "klantnummer" "klant id";
    AnonymousId: "anonymous id" "visitor id" "device id" "client uuid" "cookie id" "Besucher-ID";
    Email: "email" "email address" "user email" "customer email" "E-Mail-Adresse" "courriel"
        "correo electrónico" "e-mailadres";
    OccurredAt: "timestamp" "occurred at" "event time" "event timestamp" "event date"
        "original timestamp" "submitted at" "answered at" "sent at" "created at" "created"
        "datetime" "date" "time" "Zeitpunkt" "Datum" "fecha";
    MessageId: "message id" "event id" "event uuid" "insert id" "response id" "Ereignis-ID";
    Call: ;
};

const REFUNDS: &[FieldNames] = table! {
    RefundId: "refund id" "refund no" "refund nr" "refund number" "refund name"
        "refund reference" "refund ref" "refund key" "refund transaction id" "return id"
        "return number" "rma" "rma number" "credit note" "credit note id" "credit note no"
        "credit note number" "credit memo" "credit memo number" "Erstattungs-ID"
        "Erstattungsnummer" "Rückerstattungs-ID" "Gutschriftnummer" "Gutschriftsnummer"
        "Gutschrift-Nr" "Retourennummer" "Stornonummer" "numéro de remboursement"
        "n° remboursement" "id remboursement" "numéro avoir" "numéro d'avoir" "n° avoir"
        "número de reembolso" "id reembolso" "número de devolución" "id devolución"
        "nota de crédito" "terugbetalingsnummer" "terugbetaling id" "retournummer" "retour id"
        "creditnota" "creditnotanummer";
    OrderId: "order id" "order number" "order no" "order nr" "order #" "order name"
        "order reference" "order ref" "original order" "original order id" "order key" "id order"
        "amazon order id" "parent id" "parent order id" "invoice no" "invoice" "invoice number" "invoice id"
        "purchase id" "sale id" "Bestellnummer" "Bestell-Nr" "Bestell-ID" "Auftragsnummer"
        "Auftrag" "Rechnungsnummer" "Rechnungs-Nr" "numéro de commande" "n° commande"
        "commande" "référence commande" "id commande" "numéro facture" "número de pedido"
        "pedido" "id pedido" "número factura" "bestelnummer" "ordernummer" "factuurnummer";
    CustomerId: "customer id" "customer no" "customer number" "customer nr" "id customer"
        "customer" "customer key" "customer user" "client id" "client no" "user id" "buyer id" "member id"
        "household id" "household key" "account id" "contact id" "shopper id" "cust id" "cid"
        "loyalty card" "Kundennummer" "Kunden-Nr" "Kunden-ID" "Kunde" "Debitor"
        "Debitorennummer" "numéro client" "n° client" "code client" "id client" "client"
        "número de cliente" "id cliente" "código cliente" "cliente" "klantnummer" "klant id"
        "klant";
    Email: "email" "customer email" "email address" "mail" "buyer email"
        "contact email" "user email" "email (billing)" "billing email" "order email"
        "E-Mail-Adresse" "Kunden-E-Mail" "courriel" "adresse email" "email client"
        "correo electrónico" "correo" "email cliente" "e-mailadres" "klant email";
    OccurredAt: "refunded at" "refund date" "date of refund" "refund created at"
        "refund processed at" "refund time" "refunded on" "returned at" "return date"
        "credit note date" "Erstattet am" "Erstattungsdatum" "Rückerstattungsdatum"
        "Gutschriftsdatum" "Gutschriftdatum" "Retourendatum" "remboursé le"
        "date de remboursement" "date remboursement" "date avoir" "fecha de reembolso"
        "fecha reembolso" "fecha de devolución" "terugbetaald op" "terugbetaaldatum"
        "retourdatum" "occurred at" "processed at" "created at" "date created" "created"
        "transaction date" "date" "datetime" "timestamp" "time" "day" "Datum" "fecha";
    UpdatedAt: "refund updated at" "updated at" "modified at" "date modified" "last modified"
        "last updated" "date updated" "updated" "modified" "Geändert am" "modifié le"
        "actualizado" "gewijzigd op";
    Status: "refund status" "status of refund" "refund state" "transaction status" "status"
        "state" "Erstattungsstatus" "Rückerstattungsstatus" "statut du remboursement" "statut"
        "estado del reembolso" "estado" "terugbetalingsstatus";
    ProductId: "product id" "lineitem sku" "sku" "item sku" "product sku" "product code"
        "stock code" "item id" "item code" "item number" "article number" "article id"
        "variant id" "id product" "product" "item" "upc" "ean" "asin" "Artikelnummer" "Artikel-Nr"
        "Produkt-ID" "Produktnummer" "référence" "référence produit" "id produit"
        "code article" "id producto" "código producto" "referencia" "artikelcode"
        "productnummer";
    Currency: "currency" "refund currency" "order currency" "currency code" "Währung"
        "Waehrung" "devise" "monnaie" "moneda" "divisa" "valuta";
    Quantity: "quantity" "refund quantity" "refunded quantity" "quantity refunded"
        "quantity (- refund)" "returned quantity" "quantity returned" "lineitem quantity" "qty"
        "qty refunded" "item quantity" "units" "pieces" "items" "Menge" "Anzahl" "Stückzahl"
        "quantité" "qté" "cantidad" "unidades" "aantal" "hoeveelheid";
    Refunded: "refund amount" "refunded amount" "amount refunded" "refunded" "refund total"
        "total refunded" "total refund" "order refund amount" "refund" "refunds"
        "refund value" "credit amount" "return amount" "Erstattungsbetrag" "Erstattung"
        "Erstattet" "Rückerstattung" "Rückerstattungsbetrag" "Gutschriftsbetrag"
        "montant remboursé" "montant du remboursement" "remboursement" "importe reembolsado"
        "importe del reembolso" "reembolso" "terugbetaald bedrag" "terugbetaald"
        "terugbetaling" "amount" "total" "total amount" "gross amount" "transaction amount"
        "value" "Betrag" "Summe" "Gesamtbetrag" "Bruttobetrag" "montant" "montant total"
        "montant ttc" "importe" "importe total" "bedrag" "totaalbedrag" "totaal";
    LineRefunded: "line refunded" "line refund" "line refund amount" "item refunded"
        "item refund" "item refund amount" "refund line amount";
    RefundNet: "refund net" "net refund" "net refund amount" "refund net amount"
        "refund subtotal" "subtotal" "net amount" "net total" "Nettobetrag" "Zwischensumme"
        "montant ht" "total ht" "sous-total" "importe neto" "nettobedrag" "subtotaal";
    RefundTax: "refund tax" "refunded tax" "tax refunded" "refund tax amount" "tax" "taxes"
        "total tax" "tax amount" "vat" "vat amount" "Steuer" "MwSt" "Mehrwertsteuer" "USt"
        "Umsatzsteuer" "tva" "taxe" "impuestos" "iva" "btw" "belasting";
    RefundShipping: "refund shipping" "refunded shipping" "shipping refunded"
        "refund shipping amount" "shipping" "shipping amount" "shipping cost" "Versandkosten"
        "Versand" "frais de port" "frais de livraison" "gastos de envío" "envío"
        "verzendkosten";
};

const ORDERS: &[FieldNames] = table! {
    OrderId: "order id" "order number" "order no" "order nr" "order #" "order name"
        "order reference" "order ref" "invoice no" "invoice" "invoice number" "invoice id"
        "transaction id" "transaction no" "receipt number" "basket id" "purchase id" "sale id"
        "order key" "id order" "amazon order id" "Bestellnummer" "Bestell-Nr" "Bestell-ID" "Auftragsnummer" "Auftrag"
        "Rechnungsnummer" "Rechnungs-Nr" "Belegnummer" "numéro de commande" "n° commande"
        "commande" "référence commande" "id commande" "numéro facture" "número de pedido"
        "pedido" "id pedido" "número factura" "bestelnummer" "ordernummer" "factuurnummer";
    CustomerId: "customer id" "customer no" "customer number" "customer nr" "id customer"
        "customer" "customer key" "customer user" "client id" "client no" "user id" "buyer id" "member id"
        "household id" "household key" "account id" "contact id" "shopper id" "cust id" "cid"
        "loyalty card" "Kundennummer" "Kunden-Nr" "Kunden-ID" "Kunde" "Debitor"
        "Debitorennummer" "numéro client" "n° client" "code client" "id client" "client"
        "número de cliente" "id cliente" "código cliente" "cliente" "klantnummer" "klant id"
        "klant";
    Email: "email" "customer email" "email address" "mail" "buyer email"
        "contact email" "user email" "email (billing)" "billing email" "order email"
        "E-Mail-Adresse" "Kunden-E-Mail" "courriel" "adresse email" "email client"
        "correo electrónico" "correo" "email cliente" "e-mailadres" "klant email";
    OccurredAt: "occurred at" "ordered at" "order date" "date of order" "order time"
        "order datetime" "order timestamp" "placed at" "order placed" "date placed"
        "order created at" "created at" "date created" "creation date" "created" "invoice date"
        "purchase date" "purchased at" "purchase time" "transaction date" "transaction time"
        "sale date" "order purchase timestamp" "date add" "processed at" "day" "date" "datetime"
        "timestamp" "time" "event time" "paid at" "Bestelldatum" "Bestellt am" "Bestellzeit"
        "Auftragsdatum" "Kaufdatum" "Rechnungsdatum" "Datum" "date de commande"
        "date commande" "date d'achat" "date facture" "fecha de pedido" "fecha pedido"
        "fecha de compra" "fecha" "besteldatum" "orderdatum" "factuurdatum";
    UpdatedAt: "updated at" "date upd" "modified at" "date modified" "last modified" "last updated"
        "date updated" "updated" "modified" "Geändert am" "modifié le" "actualizado"
        "gewijzigd op";
    EndedAt: "ended at" "cancelled at" "canceled at" "cancellation date" "refunded at"
        "refund date" "returned at" "return date" "Storniert am" "Stornodatum"
        "annulé le" "date annulation" "fecha de cancelación" "geannuleerd op";
    Status: "status" "order status" "financial status" "payment status" "order state" "state"
        "Bestellstatus" "Auftragsstatus" "Zahlungsstatus" "statut" "statut commande"
        "état commande" "estado" "estado del pedido" "bestelstatus";
    ProductId: "product id" "lineitem sku" "sku" "item sku" "product sku" "product code"
        "stock code" "item id" "item code" "item number" "article number" "article id"
        "variant id" "id product" "product" "item" "upc" "ean" "asin" "Artikelnummer" "Artikel-Nr"
        "Produkt-ID" "Produktnummer" "référence" "référence produit" "id produit"
        "code article" "id producto" "código producto" "referencia" "artikelcode"
        "productnummer";
    ProductName: "product name" "lineitem name" "item name" "description" "product title"
        "item description" "product description" "title" "item title"
        "Artikel" "Artikelname" "Artikelbezeichnung" "Produktname" "Produkt" "Bezeichnung"
        "nom du produit" "produit" "désignation" "libellé" "nombre del producto" "producto"
        "descripción" "productnaam" "omschrijving";
    Category: "category" "product category" "product type" "category name" "item category"
        "department" "product group" "Kategorie" "Warengruppe" "Produktkategorie" "catégorie"
        "catégorie produit" "rayon" "categoría" "categorie" "productgroep";
    Brand: "brand" "vendor" "manufacturer" "brand name" "lineitem vendor" "label" "Marke"
        "Hersteller" "marque" "fabricant" "marca" "fabricante" "merk" "fabrikant";
    Channel: "channel" "sales channel" "source name" "source" "order source" "utm source"
        "marketing channel" "acquisition channel" "origin" "attribution" "created via"
        "referrer source" "Kanal" "Vertriebskanal" "Verkaufskanal" "canal" "canal de vente"
        "canal de venta" "kanaal" "verkoopkanaal";
    Country: "country" "billing country" "country code" "country code (billing)"
        "country (billing)" "billing country code" "shipping country" "shipping country code"
        "customer country" "country name" "Land" "Lieferland" "Rechnungsland" "pays"
        "pays de facturation" "pays de livraison" "país" "país de facturación";
    Currency: "currency" "order currency" "currency code" "presentment currency" "Währung"
        "Waehrung" "devise" "monnaie" "moneda" "divisa" "valuta";
    Coupon: "coupon" "coupon code" "discount code" "discount codes" "coupons"
        "coupon codes" "voucher" "voucher code" "promo code" "promotion code" "Gutschein"
        "Gutscheincode" "Rabattcode" "code promo" "code de réduction" "bon de réduction"
        "cupón" "código de descuento" "kortingscode";
    Quantity: "quantity" "lineitem quantity" "qty" "item quantity" "quantity purchased" "quantity (- refund)"
        "units" "pieces" "items" "items sold" "item count" "num items" "count" "Menge" "Anzahl"
        "Stückzahl" "quantité" "qté" "cantidad" "unidades" "aantal" "hoeveelheid";
    UnitPrice: "unit price" "lineitem price" "price" "item price" "price each"
        "price per unit" "item cost" "product price" "selling price" "sale price" "Einzelpreis"
        "Stückpreis" "Preis" "Verkaufspreis" "prix unitaire" "prix" "precio unitario" "precio"
        "stukprijs" "prijs" "eenheidsprijs";
    LineTotal: "line total" "line amount" "line revenue" "line item total" "item total"
        "line price" "order line (w/o tax)" "order line total" "line subtotal" "item revenue"
        "Positionssumme" "Zeilensumme" "Positionsbetrag" "total ligne" "montant ligne"
        "total línea" "importe línea" "regeltotaal" "regelbedrag";
    LineList: "line list" "line total before discounts";
    LineDiscount: "line discount" "lineitem discount" "item discount" "line discount amount"
        "item discount amount" "Positionsrabatt" "remise ligne" "descuento línea"
        "regelkorting";
    LineGross: "line gross" "line gross total" "line total incl tax";
    LineTax: "line tax" "line tax amount" "item tax" "item tax amount" "lineitem tax";
    LineShipping: "line shipping" "item shipping";
    LineRefunded: "line refunded" "line refund" "item refunded" "item refund";
    UnitCost: "unit cost" "cost" "cost price" "cost per item" "purchase price" "cogs"
        "cost of goods" "item cost price" "Einkaufspreis" "EK-Preis" "prix d'achat" "coût"
        "precio de coste" "coste" "inkoopprijs" "kostprijs";
    OrderTotal: "order total" "total" "total price" "order amount" "amount" "grand total"
        "order value" "total amount" "order total amount" "total paid tax incl" "total paid"
        "total sales" "revenue" "order revenue" "sales" "sales amount" "value" "payment value"
        "payment amount" "spent" "dollars" "monetary value" "Gesamtsumme" "Gesamtbetrag"
        "Gesamt" "Gesamtumsatz" "Summe" "Bestellwert" "Betrag" "Umsatz" "Rechnungsbetrag"
        "total commande" "montant total" "montant" "total ttc" "ventes totales"
        "chiffre d'affaires" "importe total" "importe" "total pedido" "ventas totales" "totaal"
        "totaalbedrag" "bedrag" "omzet" "totale omzet";
    OrderSubtotal: "order subtotal" "net sales" "net revenue" "n. revenue"
        "n. revenue (formatted)" "subtotal" "subtotal price" "order subtotal amount"
        "net amount" "net total" "items subtotal" "merchandise total" "Zwischensumme"
        "Nettobetrag" "Nettoumsatz" "Warenwert" "sous-total" "total ht" "ventes nettes"
        "ventas netas" "subtotaal" "netto-omzet";
    OrderList: "order list" "gross sales" "subtotal before discounts" "total before discounts"
        "amount before discounts" "ventes brutes" "ventas brutas";
    OrderDiscount: "order discount" "discount amount" "discount total" "discount"
        "total discount" "total discounts" "cart discount" "cart discount amount"
        "order discount amount" "discounts" "Rabatt" "Rabatte" "Rabattbetrag" "Nachlass"
        "remise" "remises" "montant remise" "réduction" "réductions" "descuento" "descuentos"
        "importe descuento" "korting" "kortingen" "kortingsbedrag";
    Shipping: "shipping" "shipping total" "shipping amount" "shipping cost" "shipping price"
        "order shipping amount" "order shipping" "shipping charge" "delivery cost" "freight"
        "freight value" "Versandkosten" "Versand" "frais de port" "frais de livraison"
        "livraison" "gastos de envío" "envío" "verzendkosten";
    Tax: "tax" "taxes" "total tax" "tax total" "tax amount" "order total tax amount"
        "order tax" "vat" "vat amount" "sales tax" "Steuer" "MwSt" "Mehrwertsteuer" "USt"
        "Umsatzsteuer" "tva" "taxe" "impuestos" "iva" "btw" "belasting";
    Refunded: "refunded" "refunded amount" "refund amount" "order refund amount"
        "total refunded" "refund total" "refund" "refunds" "amount refunded"
        "Erstattung" "Erstattet" "Erstattungsbetrag" "remboursement" "montant remboursé"
        "reembolso" "importe reembolsado" "terugbetaald" "terugbetaling";
};

const CUSTOMERS: &[FieldNames] = table! {
    CustomerId: "customer id" "customer no" "customer number" "customer nr" "id customer"
        "customer" "client id" "user id" "member id" "account id" "contact id" "buyer id" "cust id" "id"
        "cid" "Kundennummer" "Kunden-Nr" "Kunden-ID" "numéro client" "n° client"
        "code client" "id client" "número de cliente" "id cliente" "código cliente"
        "klantnummer" "klant id";
    Email: "email" "email address" "customer email" "mail" "user email"
        "contact email" "billing email" "email (billing)" "E-Mail-Adresse" "Kunden-E-Mail"
        "courriel" "adresse email" "correo electrónico" "correo" "e-mailadres";
    Name: "name" "full name" "customer name" "display name" "billing name" "contact name"
        "Kundenname" "nom complet" "nom client" "nombre completo" "volledige naam" "naam";
    FirstName: "first name" "given name" "forename" "billing first name"
        "first name (billing)" "Vorname" "prénom" "nombre" "voornaam";
    LastName: "last name" "surname" "family name" "billing last name" "last name (billing)"
        "Nachname" "nom" "nom de famille" "apellido" "apellidos" "achternaam";
    Phone: "phone" "phone number" "telephone" "mobile" "mobile phone" "cell" "cell phone"
        "default address phone" "billing phone" "phone (billing)" "tel" "Telefon"
        "Telefonnummer" "Handy" "Mobil" "téléphone" "portable" "teléfono" "móvil" "telefoon"
        "telefoonnummer" "mobiel";
    Street: "street" "address" "address 1" "address line 1" "street address"
        "default address address1" "billing address 1" "address 1&2 (billing)" "Straße"
        "Strasse" "Adresse" "Anschrift" "rue" "calle" "dirección" "straat" "adres";
    Zip: "zip" "zip code" "postal code" "postcode" "default address zip" "billing postcode"
        "postcode (billing)" "PLZ" "Postleitzahl" "code postal" "código postal";
    Note: "note" "notes" "customer note" "comment" "comments" "Notiz" "Bemerkung"
        "commentaire" "nota" "notas" "opmerking";
    Country: "country" "country code" "default address country code" "default address country"
        "billing country" "country code (billing)" "country name" "Land" "pays" "país";
    City: "city" "town" "default address city" "billing city" "city (billing)" "Stadt" "Ort"
        "Wohnort" "ville" "ciudad" "población" "stad" "plaats" "woonplaats";
    Region: "region" "state" "province" "default address province code" "billing state"
        "state code (billing)" "state code" "Bundesland" "région" "provincia" "provincie";
    Gender: "gender" "sex" "Geschlecht" "Anrede" "sexe" "genre" "género" "sexo" "geslacht";
    Birthday: "birthday" "birth date" "date of birth" "dob" "Geburtsdatum" "Geburtstag"
        "date de naissance" "fecha de nacimiento" "geboortedatum";
    Consent: "consent" "marketing consent" "accepts marketing" "accepts email marketing"
        "email consent" "newsletter" "opt in" "email opt in" "subscribed" "marketing opt in"
        "Einwilligung" "Newsletter abonniert" "consentement" "accepte les e-mails"
        "consentimiento" "acepta publicidad" "toestemming" "nieuwsbrief";
    Channel: "channel" "acquisition channel" "source" "marketing channel" "utm source"
        "signup source" "Kanal" "canal" "kanaal";
    Tags: "tags" "labels" "Schlagwörter" "étiquettes" "etiquetas";
    CreatedAt: "created at" "date created" "created" "customer since" "registered at"
        "registration date" "signup date" "date registered" "member since" "Kunde seit"
        "Registriert am" "Angelegt am" "date d'inscription" "client depuis"
        "fecha de registro" "cliente desde" "klant sinds" "geregistreerd op";
};

const PRODUCTS: &[FieldNames] = table! {
    ProductId: "product id" "sku" "variant sku" "product sku" "product code" "stock code"
        "item id" "item code" "item number" "article number" "variant id" "id product" "id" "handle" "ean"
        "upc" "Artikelnummer" "Artikel-Nr" "Produkt-ID" "Produktnummer" "référence"
        "référence produit" "id produit" "code article" "id producto" "código producto"
        "referencia" "artikelcode" "productnummer";
    ProductName: "product name" "name" "title" "product title" "description" "item name"
        "Artikel" "Artikelname" "Artikelbezeichnung" "Produktname" "Bezeichnung"
        "nom du produit" "nom" "désignation" "libellé" "nombre del producto" "nombre"
        "descripción" "productnaam" "omschrijving";
    Category: "category" "product category" "product type" "type" "categories"
        "category name" "department" "product group" "Kategorie" "Warengruppe"
        "Produktkategorie" "catégorie" "rayon" "categoría" "categorie" "productgroep";
    Brand: "brand" "vendor" "manufacturer" "brand name" "Marke" "Hersteller" "marque"
        "fabricant" "marca" "fabricante" "merk" "fabrikant";
    Currency: "currency" "currency code" "Währung" "Waehrung" "devise" "moneda" "valuta";
    UnitCost: "unit cost" "cost" "cost per item" "cost price" "purchase price" "cogs"
        "cost of goods" "Einkaufspreis" "EK-Preis" "prix d'achat" "coût" "precio de coste"
        "coste" "inkoopprijs" "kostprijs";
    UnitPrice: "unit price" "price" "variant price" "regular price" "list price"
        "selling price" "sale price" "Preis" "Verkaufspreis" "VK-Preis" "prix"
        "prix de vente" "precio" "prijs" "verkoopprijs";
};

const AD_SPEND: &[FieldNames] = table! {
    Date: "date" "day" "reporting starts" "start date" "spend date" "Datum" "Tag" "jour"
        "fecha" "día" "dag";
    Channel: "channel" "source" "platform" "utm source" "network" "publisher"
        "marketing channel" "Kanal" "canal" "kanaal";
    Campaign: "campaign" "campaign name" "utm campaign" "ad campaign" "Kampagne"
        "campagne" "nom de la campagne" "campaña";
    Currency: "currency" "currency code" "account currency" "Währung" "Waehrung" "devise"
        "moneda" "valuta";
    Spend: "spend" "ad spend" "amount spent" "cost" "media cost" "budget spent" "costs"
        "Ausgaben" "Kosten" "Werbekosten" "dépenses" "coût" "gasto" "coste" "inversión"
        "uitgaven";
    Clicks: "clicks" "link clicks" "Klicks" "clics" "klikken";
    Impressions: "impressions" "impr" "Impressionen" "impresiones" "vertoningen";
};

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn within_a_kind_of_file_each_header_names_one_field() {
        for entity in Entity::ALL {
            let mut seen = HashSet::new();
            for names in field_table(entity) {
                for header in names.headers {
                    assert!(
                        seen.insert(normalised(header)),
                        "{} {header}",
                        entity.name()
                    );
                }
            }
        }
    }

    #[test]
    fn headers_are_compared_without_case_and_punctuation() {
        for header in ["Order ID", "order_id", "orderId", " ORDER-ID ", "Order.Id"] {
            assert_eq!(normalised(header), "orderid");
        }
        assert_eq!(split_minor_units("unitpriceminor"), Some("unitprice"));
        assert_eq!(split_minor_units("cents"), None);
    }
}
