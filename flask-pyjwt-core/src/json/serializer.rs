//! Serializes values into a [`Writer`], as [`serde_json::to_value`] does.

use serde::{
    Serialize, Serializer,
    ser::{
        SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};
use serde_json::{Error, Value, value::Serializer as ToValue};

use super::{node::Kind, writer::Writer};

/// Writes what a value serializes to.
///
/// Texts, integers and lists are written at once. The rest, where `serde_json` sorts members, keeps the last one of a name,
/// and has special cases, becomes a [`Value`] first.
pub(super) struct ToWriter<'a>(pub(super) &'a mut Writer);

impl<'a> ToWriter<'a> {
    fn written(self, value: Result<Value, Error>) -> Result<(), Error> {
        self.0.value(&value?);
        Ok(())
    }

    fn tree<T>(self, tree: Result<T, Error>) -> Result<Tree<'a, T>, Error> {
        Ok(Tree {
            writer: self.0,
            tree: tree?,
        })
    }
}

macro_rules! as_widest {
    ($widest:ident: $($method:ident: $integer:ty),*) => {$(
        fn $method(self, value: $integer) -> Result<(), Error> {
            self.$widest(value.into())
        }
    )*};
}

macro_rules! through_value {
    ($($method:ident: $value:ty),*) => {$(
        fn $method(self, value: $value) -> Result<(), Error> {
            self.written(ToValue.$method(value))
        }
    )*};
}

impl<'a> Serializer for ToWriter<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = List<'a>;
    type SerializeTuple = List<'a>;
    type SerializeTupleStruct = List<'a>;
    type SerializeTupleVariant = Tree<'a, <ToValue as Serializer>::SerializeTupleVariant>;
    type SerializeMap = Tree<'a, <ToValue as Serializer>::SerializeMap>;
    type SerializeStruct = Tree<'a, <ToValue as Serializer>::SerializeStruct>;
    type SerializeStructVariant = Tree<'a, <ToValue as Serializer>::SerializeStructVariant>;

    as_widest!(serialize_i64: serialize_i8: i8, serialize_i16: i16, serialize_i32: i32);
    as_widest!(serialize_u64: serialize_u8: u8, serialize_u16: u16, serialize_u32: u32);

    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        self.0.signed(value);
        Ok(())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        self.0.unsigned(value);
        Ok(())
    }

    through_value! {
        serialize_i128: i128, serialize_u128: u128, serialize_f32: f32, serialize_f64: f64,
        serialize_bytes: &[u8]
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.0.bool(value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.0.string(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.0.null();
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.written(ToValue.serialize_newtype_variant(name, index, variant, value))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List<'a>, Error> {
        Ok(List {
            index: self.0.open(Kind::Array),
            writer: self.0,
        })
    }

    fn serialize_tuple(self, length: usize) -> Result<List<'a>, Error> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<List<'a>, Error> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        self.tree(ToValue.serialize_tuple_variant(name, index, variant, length))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, Error> {
        self.tree(ToValue.serialize_map(length))
    }

    fn serialize_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStruct, Error> {
        self.tree(ToValue.serialize_struct(name, length))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        self.tree(ToValue.serialize_struct_variant(name, index, variant, length))
    }
}

/// Writes the elements of an array.
pub(super) struct List<'a> {
    writer: &'a mut Writer,
    index: usize,
}

macro_rules! list {
    ($($compound:ident::$method:ident),*) => {$(
        impl $compound for List<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                let (end, depth) = (self.writer.end(), self.writer.depth());
                self.writer.separate(self.index);
                let written = value.serialize(ToWriter(self.writer));
                if written.is_err() {
                    // The application may go on without this element.
                    self.writer.cut(end, depth);
                }
                written
            }

            fn end(self) -> Result<(), Error> {
                self.writer.close(self.index);
                Ok(())
            }
        }
    )*};
}

list!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field
);

/// Collects a [`Value`], and writes it at its end.
pub(super) struct Tree<'a, T> {
    writer: &'a mut Writer,
    tree: T,
}

macro_rules! tree {
    ($($compound:ident: $($method:ident($($argument:ident: $kind:ty),*)),*;)*) => {$(
        impl<V: $compound<Ok = Value, Error = Error>> $compound for Tree<'_, V> {
            type Ok = ();
            type Error = Error;

            $(fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($argument: $kind,)*
                value: &T,
            ) -> Result<(), Error> {
                self.tree.$method($($argument,)* value)
            })*

            fn end(self) -> Result<(), Error> {
                ToWriter(self.writer).written(self.tree.end())
            }
        }
    )*};
}

tree! {
    SerializeMap: serialize_key(), serialize_value();
    SerializeStruct: serialize_field(name: &'static str);
    SerializeTupleVariant: serialize_field();
    SerializeStructVariant: serialize_field(name: &'static str);
}
